import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { focalObjective } from './objective.js'

export { focalObjective } from './objective.js'
export type { FocalOptions } from './objective.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  // Whole numbers only: below 1 the derivative at p = 1 is a division by zero.
  gamma: z
    .int()
    .min(0)
    .max(5)
    .default(2)
    .describe('how much less a likely token counts, 0 = not at all less; default 2'),
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Focal loss: tokens that are already likely count less',
  options,
  create: (chosen) => focalObjective(chosen),
})
