/** What a KL is steered towards. */
export interface KlTarget {
  /** KL per completion, nats. */
  readonly target: number
  /** Completions in which the coefficient moves by a fifth at most. */
  readonly horizon: number
}

/** β (1 + clip(kl / target − 1, −0.2, 0.2) n / horizon), Ziegler et al., arXiv 1909.08593, section 2.2. */
export function nextBeta(beta: number, kl: number, completions: number, { target, horizon }: KlTarget): number {
  const error = kl / target - 1
  return beta * (1 + (Math.max(-0.2, Math.min(0.2, error)) * completions) / horizon)
}
