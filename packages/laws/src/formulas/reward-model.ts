import { logSigmoid } from './stable.js'

/** The scores of one pair of answers. */
export interface ScoredPair {
  readonly chosen: number
  readonly rejected: number
  /** How far the chosen score is to be ahead; default 0. */
  readonly margin?: number
}

/**
 * The mean loss of a reward model on some pairs: −log σ(r_w − r_l − m) + c (r_w + r_l)² (Bradley-Terry with the margin m of
 * Llama 2, arXiv 2307.09288, and the centring c of arXiv 2312.09244), as TRL 1.16 has it.
 */
export function rewardModelLoss(pairs: readonly ScoredPair[], centerRewardsCoefficient = 0): number {
  const losses = pairs.map(
    ({ chosen, rejected, margin = 0 }) =>
      -logSigmoid(chosen - rejected - margin) + centerRewardsCoefficient * (chosen + rejected) ** 2,
  )
  return losses.reduce((a, b) => a + b, 0) / losses.length
}
