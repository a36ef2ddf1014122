import { z } from 'zod'
import type { ReadyRule } from '../ready-rule.js'
import { unitOption, unitsOf } from './unit.js'

const options = z.strictObject({
  ngramSize: z.int().positive().default(3).describe('tokens or words that are compared at once; default 3'),
  unit: unitOption.describe('what is compared: tokens, words; default tokens'),
})

/**
 * −(1 − distinct / all) over the n-grams of the completion: 0 where none is said twice and where there are fewer than n
 * tokens, near −1 where one is said over and over (Yeo et al., arXiv 2502.03373, appendix C.2; TRL's repetition penalty).
 */
export const repetition: ReadyRule<typeof options> = {
  options,
  create:
    ({ ngramSize, unit }) =>
    (input) => {
      const units = Array.from(unitsOf(unit, input))
      const count = units.length - ngramSize + 1
      if (count < 1) return 0
      const distinct = new Set(units.slice(0, count).map((_, at) => units.slice(at, at + ngramSize).join(' ')))
      return distinct.size / count - 1
    },
}
