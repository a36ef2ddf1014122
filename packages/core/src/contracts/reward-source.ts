import type { Rollout } from './rollout.js'

/** One number per completion, per step of it, or per token. */
export type Granularity = 'sequence' | 'step' | 'token'

/** What a reward is computed from; a rollout is one, and so is a row of a dataset, of which nobody knows how it ended. */
export type Scorable = Pick<Rollout, 'prompt' | 'completion' | 'columns'> & Partial<Pick<Rollout, 'endedBy'>>

export interface RewardReply {
  readonly granularity: Granularity
  /** Per rollout: one number (`sequence`), or one per step or token of the completion. */
  readonly scores: readonly Float64Array[]
  /** For `step`, per rollout: where in the completion each step ends, the index of its last token, increasing. */
  readonly stepEnds?: readonly Int32Array[]
  /** What the scores are made of, by name: one number per rollout; for logs (TRL's `rewards/NAME/mean`). */
  readonly parts?: Readonly<Record<string, Float64Array>>
}

/** Scores completions: rules, reward models, remote judges. Higher is better; scores are finite. */
export interface RewardSource {
  score(request: { rollouts: readonly Scorable[] }): Promise<RewardReply>
  close(): Promise<void>
}

export const rewardSourceVerbs = ['score', 'close'] as const
