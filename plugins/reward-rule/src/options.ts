import { rulesOption } from '@collimate/rewards'
import { z } from 'zod'

export const ruleOptions = z.strictObject({
  rules: rulesOption.describe(
    'rules that are added up, each { rule, weight, name, ...its options }: rule is the name of a ready one (exact-answer, numeric-answer, regex, length, lexicon, repetition, missing-eos), a file ./my-rule.ts that exports a function, or in TypeScript the function; weight multiplies its score, default 1; name is what logs call it, default by the rule',
  ),
})
export type RuleOptions = z.output<typeof ruleOptions>
