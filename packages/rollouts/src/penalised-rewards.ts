/**
 * Rewards per token under a KL penalty, Ziegler et al., arXiv 1909.08593: r_t − β kl_t, nats; the score of the whole stands
 * at the last token already. Masked tokens have none.
 */
export function penalisedRewards(
  perToken: readonly Float64Array[],
  kl: readonly Float64Array[],
  masks: readonly Uint8Array[],
  beta: number,
): readonly Float64Array[] {
  return perToken.map((rewards, at) =>
    rewards.map((reward, token) => (masks[at][token] === 0 ? 0 : reward - beta * kl[at][token])),
  )
}
