import { definePlugin } from '@collimate/core'
import { dpoObjective } from './objective.js'
import { dpoLossOptions, dpoOptions } from './options.js'
import { dpoTrainer } from './trainer.js'

export { dpoLosses, lossNames } from './losses.js'
export type { DpoLoss, LossName } from './losses.js'
export { dpoObjective } from './objective.js'
export { dpoLossOptions, dpoOptions } from './options.js'
export type { DpoLossOptions, DpoOptions } from './options.js'
export { dpoTrainer } from './trainer.js'

/** The objective `dpo` by itself. */
export const dpoObjectivePlugin = definePlugin({
  name: 'dpo',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Losses of direct preference optimisation and its family.',
  options: dpoLossOptions,
  create: (options) => dpoObjective(options),
})

export const dpo = definePlugin({
  name: 'dpo',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'Direct preference optimisation on pairs of answers.',
  options: dpoOptions,
  capabilities: { optimum: 'preferences' },
  brings: [dpoObjectivePlugin],
  create: (options, { backend }) => dpoTrainer(options, backend),
})

export default dpo
