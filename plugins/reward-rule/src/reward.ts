import type { RewardSource } from '@collimate/core'
import { combineRules, ruleInput, unscored } from '@collimate/rewards'
import type { Rule } from '@collimate/rewards'

/**
 * One number per completion: Σ weight · score over the rules that scored it. The parts are the scores of each rule, not
 * weighted.
 *
 * Errors name rule and rollout and show the text: COLLIMATE_REWARD_NOT_FINITE, COLLIMATE_REWARD_RULE_FAILED,
 * COLLIMATE_REWARD_COLUMN_INVALID, and COLLIMATE_REWARD_UNSCORED where every rule said null.
 */
export function ruleReward(rules: readonly Rule[]): RewardSource {
  const place = (at: number): string => `rollout ${at}`
  return {
    async score({ rollouts }) {
      const inputs = rollouts.map(ruleInput)
      const { totals, parts, scored } = await combineRules(rules, inputs, place)
      const at = scored.indexOf(0)
      if (at !== -1) throw unscored(place(at), inputs[at])
      return { granularity: 'sequence', scores: Array.from(totals, (total) => Float64Array.of(total)), parts }
    },
    async close() {},
  }
}
