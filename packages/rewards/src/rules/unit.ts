import { z } from 'zod'
import type { RuleInput } from '../rule.js'
import { wordsOf } from '../words.js'

/** What a completion is counted in: tokens of the policy, the end token included, or words between white space. */
export const unitOption = z.enum(['tokens', 'words']).default('tokens')
export type RuleUnit = z.output<typeof unitOption>

export const lengthIn = (unit: RuleUnit, input: RuleInput): number => unitsOf(unit, input).length

/** The completion as a list of what it is counted in. */
export const unitsOf = (unit: RuleUnit, { completion, completionIds }: RuleInput): ArrayLike<number | string> =>
  unit === 'tokens' ? completionIds : wordsOf(completion)
