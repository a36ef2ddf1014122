import { z } from 'zod'

export const gaeOptions = z.strictObject({
  gamma: z.number().min(0).max(1).default(1).describe('γ, discount of a reward per token, 0 to 1; default 1'),
  lambda: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe(
      'λ, weight of longer returns, 0 (one reward and the next value: least noise) to 1 (the whole return: no bias of the critic); default 0.95',
    ),
  whiten: z
    .boolean()
    .default(true)
    .describe(
      'shift and scale the advantages of a batch to mean 0 and variance 1 over its real tokens; returns are those of before; default true',
    ),
})
export type GaeOptions = z.output<typeof gaeOptions>
