import { z } from 'zod'
import type { ReadyRule } from '../ready-rule.js'
import { lengthIn, unitOption } from './unit.js'

const options = z
  .strictObject({
    target: z.int().nonnegative().optional().describe('length that is rewarded most, in units; or give max'),
    scale: z
      .number()
      .positive()
      .optional()
      .describe('distance from the target at which the score is −1, in units; default the target, at least 1'),
    max: z
      .int()
      .positive()
      .optional()
      .describe('longest completion that is not punished with −1, in units; or give target'),
    buffer: z
      .int()
      .nonnegative()
      .optional()
      .describe('units before max in which the score falls from 0 to −1 in a straight line; default 0'),
    unit: unitOption.describe('what length is counted in: tokens, words; default tokens'),
  })
  .superRefine(({ target, scale, max, buffer }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if ((target === undefined) === (max === undefined)) refuse('target', 'give exactly one of target and max')
    if (scale !== undefined && target === undefined) refuse('scale', 'it belongs to target, which is not given')
    if (buffer !== undefined && max === undefined) refuse('buffer', 'it belongs to max, which is not given')
    if (buffer !== undefined && max !== undefined && buffer > max) refuse('buffer', `it is more than max, ${max}`)
  })

/**
 * Between −1 and 0. With `target`: −min(1, |n − target| / scale). With `max` and `buffer`: 0 up to max − buffer, then
 * (max − buffer − n) / buffer, and −1 beyond max (Yu et al., arXiv 2503.14476, equation 13: soft overlong punishment).
 */
export const length: ReadyRule<typeof options> = {
  options,
  create: ({ target, scale, max = 0, buffer = 0, unit }) => {
    if (target === undefined)
      return (input) => {
        const over = lengthIn(unit, input) - (max - buffer)
        if (over <= 0) return 0
        return over > buffer ? -1 : -over / buffer
      }
    const width = scale ?? Math.max(1, target)
    return (input) => {
      const distance = Math.abs(lengthIn(unit, input) - target)
      return distance === 0 ? 0 : -Math.min(1, distance / width)
    }
  },
}
