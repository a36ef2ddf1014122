import { exp, greater, less, maximum, minimum, mul, neg, sub, where } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/** Log-ratios above it count as it, so that a ratio is finite in every precision; verl's bound. */
export const maxLogRatio = 20

/** [T] log π − log π_old. */
export const logRatioOf = (logProbs: Tensor, oldLogProbs: Tensor): Tensor =>
  minimum(sub(logProbs, oldLogProbs), maxLogRatio)

export interface ClipRange {
  /** Ratios count from 1 − low … */
  readonly low: number
  /** … to 1 + high. */
  readonly high: number
}

/** Everything within [low, high]; what lies inside, borders included, keeps its gradient, as in torch.clamp. */
export const clamp = (x: Tensor, low: Tensor | number, high: Tensor | number): Tensor =>
  where(less(x, low), low, where(greater(x, high), high, x))

/**
 * The clipped surrogate of PPO as a loss per token, Schulman et al., arXiv 1707.06347, eq. 7: max(−A ρ, −A clip(ρ)) with
 * ρ = π/π_old. `clipped` [T], bool: where the clip binds, so that the token has no gradient.
 */
export function clippedSurrogate(
  logRatio: Tensor,
  advantages: Tensor,
  { low, high }: ClipRange,
): { readonly loss: Tensor; readonly clipped: Tensor } {
  const ratio = exp(logRatio)
  const plain = neg(mul(advantages, ratio))
  const bounded = neg(mul(advantages, clamp(ratio, 1 - low, 1 + high)))
  return { loss: maximum(plain, bounded), clipped: greater(bounded, plain) }
}
