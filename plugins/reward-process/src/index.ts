import { definePlugin } from '@collimate/core'
import { createProcessReward } from './create.js'
import { processOptions } from './options.js'

export type { Rule, RuleEntry, RuleFunction, RuleInput, RuleStep } from '@collimate/rewards'
export { createProcessReward } from './create.js'
export { scoreByModel } from './model-steps.js'
export type { ModelStepsOptions } from './model-steps.js'
export { processOptions } from './options.js'
export type { ProcessOptions } from './options.js'
export { stepReward } from './reward.js'
export type { ProcessParts } from './reward.js'
export { scoreByRules } from './rule-steps.js'
export type { ScoreSteps, StepScores } from './score-steps.js'
export { endsByCount, endsByDelimiter } from './step-ends.js'
export type { Division, Steps } from './steps.js'
export { tokenTexts } from './token-texts.js'

export const processReward = definePlugin({
  name: 'process',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'reward',
  description: 'A reward for each step of a completion, from rules or from a process reward model.',
  options: processOptions,
  // Of the ready rules and of models; a function that samples or remembers is its author's to answer for.
  capabilities: { deterministic: true },
  create: (options, context) => createProcessReward(options, context),
})

export default processReward
