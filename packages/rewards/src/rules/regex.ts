import { z } from 'zod'
import type { ReadyRule } from '../ready-rule.js'

const options = z
  .strictObject({
    pattern: z.string().min(1).describe('regular expression of JavaScript; it matches anywhere, ^ and $ tie it down'),
    flags: z
      .string()
      .regex(/^[dimsuv]*$/, 'expected flags among d, i, m, s, u, v')
      .default('')
      .describe('flags of the expression, such as i (any case), m (lines), s (. is a line break too), u; default none'),
  })
  .superRefine(({ pattern, flags }, context) => {
    try {
      new RegExp(pattern, flags)
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['pattern'], message: (error as Error).message })
    }
  })

/** 1 where the pattern matches somewhere in the completion, else 0. */
export const regex: ReadyRule<typeof options> = {
  options,
  create: ({ pattern, flags }) => {
    const expression = new RegExp(pattern, flags)
    return ({ completion }) => (expression.test(completion) ? 1 : 0)
  },
}
