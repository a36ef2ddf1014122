import { definePlugin } from '@collimate/core'
import { sequenceEstimator } from './estimator.js'
import { sequenceOptions } from './options.js'

export { baselineNames, baselines } from './baselines.js'
export type { BaselineName, Rewards } from './baselines.js'
export { sequenceEstimator } from './estimator.js'
export { sequenceOptions } from './options.js'
export type { SequenceOptions } from './options.js'

export const sequence = definePlugin({
  name: 'sequence',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'estimator',
  description: 'Advantages of whole completions: their reward less a baseline (REINFORCE, RLOO, GRPO).',
  options: sequenceOptions,
  capabilities: { leaveOneOut: true, monteCarlo: true, rowwise: true, needsGroups: true },
  create: (options) => sequenceEstimator(options),
})

export default sequence
