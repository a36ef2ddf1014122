import { definePlugin } from '@collimate/core'
import { reinforceLossOptions } from './loss-options.js'
import { reinforceObjective } from './objective.js'
import { reinforceOptions } from './options.js'
import { reinforceTrainer } from './trainer.js'

export { lossTypes, reinforceLossOptions } from './loss-options.js'
export type { LossType, ReinforceLossOptions } from './loss-options.js'
export { reinforceObjective } from './objective.js'
export { reinforceOptions } from './options.js'
export type { ReinforceOptions } from './options.js'
export { reinforceTrainer } from './trainer.js'

/** The objective `reinforce` by itself. */
export const reinforceObjectivePlugin = definePlugin({
  name: 'reinforce',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'The policy gradient as a clipped surrogate, with the KL in the loss where wanted.',
  options: reinforceLossOptions,
  create: (options) => reinforceObjective(options),
})

export const reinforce = definePlugin({
  name: 'reinforce',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'REINFORCE on a reward under a KL penalty: RLOO, GRPO and their kin.',
  options: reinforceOptions,
  capabilities: { optimum: 'reward', policyGradient: true, movingMean: true },
  brings: [reinforceObjectivePlugin],
  create: (options) => reinforceTrainer(options),
})

export default reinforce
