import { expm1MinusX } from './stable.js'

/** Estimators of KL(π ‖ π_ref) from samples of π, r = log π − log π_ref (Schulman, "Approximating KL divergence", 2020). */

/** r: unbiased; as a loss its expected gradient is 0. */
export const k1 = (logProb: number, refLogProb: number): number => logProb - refLogProb

/** r²/2: biased; as a loss its expected gradient is that of KL(π ‖ π_ref). */
export const k2 = (logProb: number, refLogProb: number): number => (logProb - refLogProb) ** 2 / 2

/** exp(−r) − 1 + r: unbiased and never negative; as a loss its expected gradient is that of KL(π_ref ‖ π), the other one. */
export const k3 = (logProb: number, refLogProb: number): number => expm1MinusX(refLogProb - logProb)
