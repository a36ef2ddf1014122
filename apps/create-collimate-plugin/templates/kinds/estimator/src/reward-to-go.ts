import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'

export interface RewardToGoOptions {
  readonly discount: number
}

/**
 * Returns G_t = Σ_{s ≥ t} discount^(s − t) · r_s over the tokens of a completion, and advantages G_t − mean(G), the mean taken
 * over all tokens of the batch (Williams 1992, with the batch mean as baseline).
 *
 * Arrays are [rows · width]. Only slots whose mask is 1 are read, for the others may hold anything, NaN included.
 */
export function rewardToGo(request: EstimatorRequest, { discount }: RewardToGoOptions): EstimatorReply {
  const { rows, width, rewards, mask } = request
  const returns = new Float64Array(rows * width)
  let [sum, count] = [0, 0]
  for (let row = 0; row < rows; row++) {
    let after = 0
    for (let at = (row + 1) * width - 1; at >= row * width; at--) {
      if (mask[at] === 0) continue
      after = rewards[at] + discount * after
      returns[at] = after
      sum += after
      count += 1
    }
  }
  const mean = count === 0 ? 0 : sum / count
  return { returns, advantages: returns.map((value, at) => (mask[at] === 0 ? 0 : value - mean)) }
}

/** An estimator is a pure function behind one verb: no state between calls, no randomness. */
export function rewardToGoEstimator(options: RewardToGoOptions): Estimator {
  return { estimate: async (request) => rewardToGo(request, options) }
}
