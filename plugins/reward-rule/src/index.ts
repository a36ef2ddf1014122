import { definePlugin } from '@collimate/core'
import { createRules } from '@collimate/rewards'
import { ruleOptions } from './options.js'
import { ruleReward } from './reward.js'

export type { Rule, RuleEntry, RuleFunction, RuleInput } from '@collimate/rewards'
export { ruleOptions } from './options.js'
export type { RuleOptions } from './options.js'
export { ruleReward } from './reward.js'

export const rule = definePlugin({
  name: 'rule',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'reward',
  description: 'Adds up weighted rules: answers, patterns, lengths, sentiment, repetition, functions of your own.',
  options: ruleOptions,
  // Of the ready rules; a function that samples or remembers is its author's to answer for.
  capabilities: { deterministic: true, granularity: 'sequence' },
  create: async ({ rules }, { path }) => ruleReward(await createRules(rules, { path })),
})

export default rule
