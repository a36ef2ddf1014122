import { lawsOfEvaluator, type LawSuite } from '@collimate/laws'
import winRate from './index.js'
import { winRateEvaluator } from './evaluator.js'
import { winRateOptions } from './options.js'

/** The laws of evaluators, with short answers. */
export default async function laws(): Promise<LawSuite[]> {
  const { name, capabilities = {} } = winRate.definition
  return [
    lawsOfEvaluator({
      name,
      create: (seed) => winRateEvaluator({ ...winRateOptions.parse({ maxNewTokens: 4 }), seed }),
      claims: capabilities,
    }),
  ]
}
