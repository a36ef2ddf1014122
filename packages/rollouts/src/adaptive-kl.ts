export interface AdaptiveKl {
  /** KL per completion that is aimed at, nats. */
  readonly target: number
  /** Completions in which the coefficient can move by a fifth at most once. */
  readonly horizon: number
}

/**
 * The next coefficient of the KL penalty: β (1 + clip(kl / target − 1, −0.2, 0.2) n / horizon), Ziegler et al., arXiv
 * 1909.08593, section 2.2.
 *
 * @param kl mean over the last `completions` of Σ_t log π/π_ref, nats
 */
export function nextBeta(beta: number, kl: number, completions: number, { target, horizon }: AdaptiveKl): number {
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1))
  return beta * (1 + (error * completions) / horizon)
}
