import { add, expm1, logSigmoid, minimum, mul, neg } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/**
 * f-divergences from the reference, Wang et al., arXiv 2309.16240: with the log-ratio h = log π(y|x) − log π_ref(y|x), the
 * score of an answer is s = f′(exp h), in TRL 1.16's form with its constants, so that s = 0 where the policy is the reference.
 *
 * Exponents are clamped at 80, as TRL does for alpha_divergence alone: exp(80) is still a float32.
 */
const divergences = {
  /** f = t log t: s = h. */
  reverse_kl: (h: Tensor) => h,
  /** f = −log t: s = 1 − exp(−h). */
  forward_kl: (h: Tensor) => neg(clampedExpm1(neg(h))),
  /** f = t log t − (t + 1) log((t + 1) / 2): s = log 2 + log σ(h). */
  js_divergence: (h: Tensor) => add(logSigmoid(h), Math.LN2),
  /** f = (t^α − α t + α − 1) / (α (α − 1)): s = (exp((α − 1) h) − 1) / (α − 1); h in the limit α = 1. */
  alpha_divergence: (h: Tensor, alpha: number) =>
    Math.abs(alpha - 1) < 1e-6 ? h : mul(clampedExpm1(mul(h, alpha - 1)), 1 / (alpha - 1)),
} satisfies Record<string, (h: Tensor, alpha: number) => Tensor>

export type DivergenceName = keyof typeof divergences
export const divergenceNames = Object.keys(divergences) as [DivergenceName, ...DivergenceName[]]

/** The score s of each answer from its log-ratio. */
export const score = (name: DivergenceName, logRatio: Tensor, alpha: number): Tensor =>
  divergences[name](logRatio, alpha)

const clampedExpm1 = (x: Tensor): Tensor => expm1(minimum(x, 80))
