import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { likelihood } from './objective.js'
import { options } from './options.js'
import { createTrainer } from './trainer.js'

export { likelihood } from './objective.js'
export { options } from './options.js'
export type { Options } from './options.js'
export { createTrainer } from './trainer.js'

/** The loss by itself: the policy, which computes it, asks for it by this name. */
export const objective = definePlugin({
  name: '__name__',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Negative log-likelihood per token',
  options: z.strictObject({}),
  create: () => likelihood,
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'Supervised fine-tuning, the plain loop',
  options,
  // Claims are promises, and laws check them: where every answer can be listed, it comes to what the data says.
  capabilities: { optimum: 'imitation' },
  brings: [objective],
  create: (chosen) => createTrainer(chosen),
})
