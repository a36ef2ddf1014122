import { CollimateError } from '@collimate/core'
import type { Model, PluginContext, RewardSource, TokenizerFiles } from '@collimate/core'
import { createTokenizer, loadTokenizerFiles } from '@collimate/data'
import { createRules } from '@collimate/rewards'
import { scoreByModel } from './model-steps.js'
import type { ProcessOptions } from './options.js'
import { stepReward } from './reward.js'
import { scoreByRules } from './rule-steps.js'
import type { ScoreSteps } from './score-steps.js'
import { checkSameTokenizer, policyTokenizer } from './tokenizer.js'

type Surroundings = Pick<PluginContext, 'bus' | 'path' | 'plugin'>

/** Makes what the options say; a model and a tokenizer in a folder are loaded now, the policy is asked at the first score. */
export async function createProcessReward(options: ProcessOptions, context: Surroundings): Promise<RewardSource> {
  const { delimiter = '\n', stepTokens, granularity, output = 'logit', microBatchSize = 8 } = options
  const given = options.tokenizer === undefined ? undefined : await loadTokenizerFiles(context.path(options.tokenizer))
  let model: Model | undefined
  let score: ScoreSteps
  if (options.model === undefined) score = scoreByRules(await createRules(options.rules ?? [], { path: context.path }))
  else {
    model = await context.plugin('policy', { use: 'transformer', model: options.model, head: 'score' })
    score = scoreByModel(model, { output, microBatchSize })
  }

  const files = async (): Promise<TokenizerFiles | undefined> => {
    const policys = given ?? (await policyTokenizer(context.bus))
    const models = await model?.describe()
    checkSameTokenizer(policys, models?.tokenizer)
    return policys ?? models?.tokenizer
  }
  /** Steps of a number of tokens have no text that a model would read. */
  const needsText = stepTokens === undefined || model === undefined
  let found: Promise<TokenizerFiles | undefined> | undefined
  return stepReward({
    division: stepTokens === undefined ? { delimiter } : { stepTokens },
    granularity,
    score,
    async tokenizer() {
      const known = await (found ??= files())
      if (!needsText) return undefined
      if (known === undefined) throw noTokenizer()
      return createTokenizer(known)
    },
  })
}

function noTokenizer(): CollimateError {
  return new CollimateError(
    'COLLIMATE_TOKENIZER_MISSING',
    'reward "process" finds steps in the text of tokens, and there is no policy whose tokenizer reads them',
    { hint: 'give the folder of the policy: tokenizer: ./model' },
  )
}
