import { CollimateError } from '@collimate/core'
import { loadRuleFile, ruleNameOf } from './load-rule-file.js'
import type { RuleSurroundings } from './ready-rule.js'
import type { Rule, RuleFunction } from './rule.js'
import type { ParsedRuleEntry } from './rule-entries.js'
import { readyRule } from './rules/ready-rules.js'

/**
 * Makes the rules of an experiment. A rule without a name is called as what it is: by the name of the ready rule, of the file
 * or of the function; the second of one kind gets a number behind.
 *
 * @throws CollimateError COLLIMATE_OPTION_CONFLICT where two are given the same name; COLLIMATE_REWARD_RULE_INVALID
 */
export async function createRules(
  entries: readonly ParsedRuleEntry[],
  surroundings: RuleSurroundings,
): Promise<readonly Rule[]> {
  const names = namesOf(entries)
  const rules: Rule[] = []
  for (const [at, entry] of entries.entries())
    rules.push({ name: names[at], weight: entry.weight, score: await functionOf(entry, surroundings) })
  return rules
}

async function functionOf({ rule, weight: _weight, name: _name, ...options }: ParsedRuleEntry, to: RuleSurroundings) {
  if (typeof rule === 'function') return rule
  const ready = readyRule(rule)
  return ready ? ready.create(options, to) : loadRuleFile(to.path(rule))
}

function namesOf(entries: readonly ParsedRuleEntry[]): string[] {
  const given = entries.flatMap(({ name }) => (name === undefined ? [] : [name]))
  const twice = given.find((name, at) => given.indexOf(name) !== at)
  if (twice !== undefined)
    throw new CollimateError('COLLIMATE_OPTION_CONFLICT', `two rules are called "${twice}"`, {
      hint: 'give each rule a name of its own',
    })
  const taken = new Set(given)
  return entries.map(({ rule, name }) => {
    if (name !== undefined) return name
    const plain = plainName(rule)
    let free = plain
    for (let number = 2; taken.has(free); number++) free = `${plain}-${number}`
    taken.add(free)
    return free
  })
}

function plainName(rule: string | RuleFunction): string {
  // A function that is written in the place of its option has the name of that option.
  if (typeof rule === 'function') return rule.name === '' ? 'rule' : rule.name
  return readyRule(rule) ? rule : ruleNameOf(rule)
}
