import { definePlugin } from '@collimate/core'
import { ppoLossOptions, valueLossOptions } from './loss-options.js'
import { ppoOptions } from './options.js'
import { ppoObjective } from './ppo-objective.js'
import { ppoTrainer } from './trainer.js'
import { valueObjective } from './value-objective.js'

export { ppoLossOptions, valueLossOptions } from './loss-options.js'
export type { PpoLossOptions, ValueLossOptions } from './loss-options.js'
export { ppoOptions } from './options.js'
export type { PpoOptions } from './options.js'
export { ppoObjective } from './ppo-objective.js'
export { ppoTrainer } from './trainer.js'
export { valueObjective } from './value-objective.js'

/** The objective `ppo` by itself. */
export const ppoObjectivePlugin = definePlugin({
  name: 'ppo',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Clipped surrogate of PPO, with the value loss where policy and critic share a trunk.',
  options: ppoLossOptions,
  create: (options) => ppoObjective(options),
})

/** The objective `value` by itself. */
export const valueObjectivePlugin = definePlugin({
  name: 'value',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Clipped value loss of a critic.',
  options: valueLossOptions,
  create: (options) => valueObjective(options),
})

export const ppo = definePlugin({
  name: 'ppo',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'Proximal policy optimisation of a reward, with a critic and a KL penalty.',
  options: ppoOptions,
  capabilities: { optimum: 'reward', proximal: true, separateCritic: true },
  brings: [ppoObjectivePlugin, valueObjectivePlugin],
  create: (options) => ppoTrainer(options),
})

export default ppo
