import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { sftObjective } from './objective.js'
import { checkObjective, objectiveUse } from './objective-use.js'
import { sftOptions } from './options.js'
import { sftTrainer } from './trainer.js'

export { sftObjective } from './objective.js'
export { sftOptions } from './options.js'
export type { SftOptions } from './options.js'
export { sftTrainer } from './trainer.js'

/** The objective `sft` by itself. */
export const sftObjectivePlugin = definePlugin({
  name: 'sft',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Negative log-likelihood per token.',
  options: z.strictObject({}),
  create: () => sftObjective,
})

export const sft = definePlugin({
  name: 'sft',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'Supervised fine-tuning on completions or texts.',
  options: sftOptions,
  capabilities: { optimum: 'imitation' },
  brings: [sftObjectivePlugin],
  async create(options, context) {
    const trainer = sftTrainer(options)
    checkObjective(await context.objective(objectiveUse(options)))
    return trainer
  },
})

export default sft
