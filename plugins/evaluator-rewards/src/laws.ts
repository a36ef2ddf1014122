import type { PluginContext, PluginEntry, PluginKind, RewardSource } from '@collimate/core'
import { lawsOfEvaluator, type LawSuite } from '@collimate/laws'
import { rewardsEvaluator } from './evaluator.js'
import rewards from './index.js'
import { rewardsOptions } from './options.js'

/** The laws of evaluators, with short answers: against the policy before training with a reward of its own, and without KL. */
export default async function laws(): Promise<LawSuite[]> {
  const { name, capabilities = {} } = rewards.definition
  const suite = (which: string, options: object): LawSuite =>
    lawsOfEvaluator({
      name: `${name} (${which})`,
      create: (seed) => rewardsEvaluator({ ...rewardsOptions.parse({ maxNewTokens: 4, ...options }), seed }, lengths),
      claims: capabilities,
    })
  return [suite('two rewards', { rewards: { length: 'length' } }), suite('no reference', { reference: false })]
}

/** Whatever plugin is asked for is a reward: the number of tokens. */
const lengths = (async (_kind: PluginKind, _entry: PluginEntry): Promise<RewardSource> => ({
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ completion }) => Float64Array.of(completion.ids.length)),
  }),
  close: async () => undefined,
})) as PluginContext['plugin']
