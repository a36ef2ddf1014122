import { isLocalFile, suggestion } from '@collimate/core'
import { z } from 'zod'
import type { RuleFunction } from './rule.js'
import { readyRule, readyRules } from './rules/ready-rules.js'

const whatIsScored = z.custom<string | RuleFunction>(
  (value) => (typeof value === 'string' && value !== '') || typeof value === 'function',
  'expected the name of a rule, a file ./my-rule.ts, or a function',
)

const entry = z
  .looseObject({ rule: whatIsScored, weight: z.number().default(1), name: z.string().min(1).optional() })
  .transform((given, context) => {
    const { rule, weight, name, ...own } = given
    const refuse = (path: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path], message })
    const ready = typeof rule === 'string' ? readyRule(rule) : undefined
    if (typeof rule === 'string' && !ready && !isLocalFile(rule)) {
      refuse(['rule'], `there is no such rule; ${suggestion(rule, Object.keys(readyRules), 'rules')}`)
      return z.NEVER
    }
    const known = Object.keys(ready?.options.shape ?? {})
    const unknown = Object.keys(own).find((key) => !known.includes(key))
    if (unknown !== undefined) {
      const there = ready
        ? suggestion(unknown, known, `options of rule "${String(rule)}"`)
        : 'a function has no options'
      refuse([unknown], `there is no such option; ${there}`)
      return z.NEVER
    }
    const parsed = ready?.options.safeParse(own)
    for (const issue of parsed?.error?.issues ?? []) refuse(issue.path, issue.message)
    return parsed?.success === false ? z.NEVER : { rule, weight, ...(name !== undefined && { name }), ...parsed?.data }
  })

/** The option `rules`: which rules make up a reward. Their own options are checked, and their defaults filled in. */
export const rulesOption = z.array(entry).min(1)

/** A rule as an experiment gives it. */
export type RuleEntry = z.input<typeof entry>
/** The same with defaults filled in. */
export type ParsedRuleEntry = z.output<typeof entry>
