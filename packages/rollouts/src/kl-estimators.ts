/**
 * Estimators of KL(π ‖ π_ref) from samples of π, with r = log π − log π_ref (Schulman, "Approximating KL divergence", 2020):
 * k1 = r, unbiased; k2 = r²/2, biased; k3 = exp(−r) − 1 + r, unbiased and never negative.
 */
export const klEstimators = {
  k1: (r: number): number => r,
  k2: (r: number): number => (r * r) / 2,
  k3: (r: number): number => Math.expm1(-r) + r,
} as const

export type KlEstimator = keyof typeof klEstimators
export const klEstimatorNames = Object.keys(klEstimators) as [KlEstimator, ...KlEstimator[]]

/** An estimator for every token of every rollout, nats. */
export function tokenKl(
  estimator: KlEstimator,
  logProbs: readonly ArrayLike<number>[],
  refLogProbs: readonly ArrayLike<number>[],
): readonly Float64Array[] {
  return logProbs.map((row, at) =>
    Float64Array.from(row, (logProb, token) => klEstimators[estimator](logProb - refLogProbs[at][token])),
  )
}
