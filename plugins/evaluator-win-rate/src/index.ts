import { definePlugin } from '@collimate/core'
import { winRateEvaluator } from './evaluator.js'
import { winRateOptions } from './options.js'

export { compareScores } from './compare.js'
export type { PairedScores } from './compare.js'
export { winRateOptions } from './options.js'
export type { WinRateOptions } from './options.js'

export const winRate = definePlugin({
  name: 'win-rate',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'evaluator',
  description: 'Win rate and mean reward of the trained policy against the policy before training.',
  options: winRateOptions,
  create: (options, { seed }) => winRateEvaluator({ ...options, seed: options.seed ?? seed }),
})

export default winRate
