import { definePlugin } from '@collimate/core'
import { rewardsEvaluator } from './evaluator.js'
import { rewardsOptions } from './options.js'

export { rewardsEvaluator } from './evaluator.js'
export { rewardsOptions } from './options.js'
export type { RewardsOptions } from './options.js'

export const rewards = definePlugin({
  name: 'rewards',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'evaluator',
  description: 'Rewards, KL to a reference and lengths of answers to held-out prompts, also during training.',
  options: rewardsOptions,
  create: (options, { seed, plugin }) => rewardsEvaluator({ ...options, seed: options.seed ?? seed }, plugin),
})

export default rewards
