import type { RewardSource } from '@collimate/core'
import type { Tokenizer } from '@collimate/data'
import type { ScoreSteps } from './score-steps.js'
import { stepsOf } from './steps.js'
import type { Division } from './steps.js'

export interface ProcessParts {
  readonly division: Division
  readonly granularity: 'step' | 'token'
  readonly score: ScoreSteps
  /** The policy's, asked for when there is something to score; undefined where steps need no text. */
  tokenizer(): Promise<Tokenizer | undefined>
}

/** A reward for each step of a completion, at the step's last token (Uesato et al., arXiv 2211.14275). */
export function stepReward({ division, granularity, score, tokenizer }: ProcessParts): RewardSource {
  return {
    async score({ rollouts }) {
      const reader = rollouts.length === 0 ? undefined : await tokenizer()
      const all = rollouts.map((rollout) => stepsOf(rollout, division, reader))
      const { scores, parts } = await score(all)
      if (granularity === 'step')
        return { granularity, scores, stepEnds: all.map(({ ends }) => ends), ...(parts && { parts }) }
      const perToken = all.map(({ rollout, ends }, at) => {
        const rewards = new Float64Array(rollout.completion.ids.length)
        ends.forEach((end, step) => (rewards[end] = scores[at][step]))
        return rewards
      })
      return { granularity, scores: perToken, ...(parts && { parts }) }
    },
    // The model is closed by who made it.
    async close() {},
  }
}
