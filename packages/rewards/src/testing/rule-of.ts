import { createRules } from '../create-rules.js'
import { rulesOption, type RuleEntry } from '../rule-entries.js'
import type { RuleFunction } from '../rule.js'

/** The function of one rule as an experiment names it. */
export async function ruleOf(
  entry: RuleEntry,
  path: (relative: string) => string = (one) => one,
): Promise<RuleFunction> {
  const [{ score }] = await createRules(rulesOption.parse([entry]), { path })
  return score
}
