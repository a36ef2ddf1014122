import type { Rollout } from './rollout.js'

/** One number per completion, per step of it, or per token. */
export type Granularity = 'sequence' | 'step' | 'token'

/** What a reward is computed from; a rollout is one, and so is a row of a dataset, of which nobody knows how it ended. */
export type Scorable = Pick<Rollout, 'prompt' | 'completion' | 'columns'> & Partial<Pick<Rollout, 'endedBy'>>

/**
 * Estimators see a reward per token: that of a whole completion stands at its last token, that of a step at the step's last
 * token, all other tokens have 0. A completion without tokens has no place for a reward, and no steps.
 */
export interface RewardReply {
  readonly granularity: Granularity
  /** Per rollout: one number (`sequence`), or one per step or token of the completion. */
  readonly scores: readonly Float64Array[]
  /**
   * For `step` and only there, per rollout: the index in the completion of the last token of each step, increasing, as many as
   * there are scores. Tokens behind the last end belong to no step.
   */
  readonly stepEnds?: readonly Int32Array[]
  /**
   * What the scores are made of, by name: one finite number per rollout, not weighted, the sum over its steps where there are
   * steps; for logs (TRL's `rewards/NAME/mean` and `/std`). A part that does not apply to a rollout is 0 there.
   */
  readonly parts?: Readonly<Record<string, Float64Array>>
}

/** Scores completions: rules, reward models, remote judges. Higher is better; scores are finite. */
export interface RewardSource {
  score(request: { rollouts: readonly Scorable[] }): Promise<RewardReply>
  close(): Promise<void>
}

export const rewardSourceVerbs = ['score', 'close'] as const
