/** Per-token arrays of one batch of rollouts, [rows · width] row-major; slots where `mask` is 0 may hold anything. */
export interface EstimatorRequest {
  readonly rows: number
  readonly width: number
  readonly rewards: Float64Array
  /** Critic's values; absent for estimators without a critic. */
  readonly values?: Float64Array
  /**
   * [rows] critic's value of the state after the last token, of completions that were cut and would have gone on; 0 where
   * the last token ended it. Absent: nothing comes after a last token.
   */
  readonly finalValues?: Float64Array
  readonly logProbs: Float64Array
  readonly refLogProbs?: Float64Array
  /** 1 for a token of the completion, else 0. */
  readonly mask: Uint8Array
  /** Rows come in groups of this many neighbours, the completions of one prompt; default 1. */
  readonly groupSize?: number
  /**
   * Exponential moving mean of the total rewards of earlier rows, kept by the trainer, for estimators whose baseline it is;
   * absent where there were none.
   */
  readonly meanReward?: number
}

export interface EstimatorReply {
  /** [rows · width], 0 where the mask is 0. */
  readonly advantages: Float64Array
  readonly returns: Float64Array
}

/** Turns rewards into advantages. A pure function: no state, no randomness, content of masked slots is irrelevant. */
export interface Estimator {
  estimate(request: EstimatorRequest): Promise<EstimatorReply>
}

export const estimatorVerbs = ['estimate'] as const
