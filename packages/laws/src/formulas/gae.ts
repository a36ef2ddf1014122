/** Per-token arrays of a batch of rollouts, [rows · width] row-major; slots where `mask` is 0 may hold anything. */
export interface TokenRewards {
  readonly rows: number
  readonly width: number
  readonly rewards: Float64Array
  /** 1 for a token of the completion, else 0. */
  readonly mask: Uint8Array
}

export interface GaeInput extends TokenRewards {
  readonly values: Float64Array
  /** Discount per real token. */
  readonly gamma: number
  /** Weight of longer returns: 0 the TD residual, 1 the Monte-Carlo return. */
  readonly lambda: number
}

export interface KlRewardInput extends Omit<TokenRewards, 'rewards'> {
  readonly logProbs: Float64Array
  readonly refLogProbs: Float64Array
  /** [rows] score of each completion. */
  readonly scores: readonly number[]
  readonly beta: number
}

/** Slots of the real tokens of a row, last first. */
function realSlots({ width, mask }: Pick<TokenRewards, 'width' | 'mask'>, row: number): number[] {
  const slots: number[] = []
  for (let slot = (row + 1) * width - 1; slot >= row * width; slot--) if (mask[slot] !== 0) slots.push(slot)
  return slots
}

/**
 * Generalised advantage estimation, Schulman et al., arXiv 1506.02438, eq. 16: δ_t = r_t + γ V_{t+1} − V_t,
 * A_t = δ_t + γ λ A_{t+1}, V after the last token 0. Masked tokens are skipped: they are no steps.
 */
export function gae(input: GaeInput): { advantages: Float64Array; returns: Float64Array } {
  const { rows, width, rewards, values, gamma, lambda } = input
  const advantages = new Float64Array(rows * width)
  const returns = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    let [nextValue, nextAdvantage] = [0, 0]
    for (const slot of realSlots(input, row)) {
      const residual = rewards[slot] + gamma * nextValue - values[slot]
      advantages[slot] = residual + gamma * lambda * nextAdvantage
      returns[slot] = advantages[slot] + values[slot]
      ;[nextValue, nextAdvantage] = [values[slot], advantages[slot]]
    }
  }
  return { advantages, returns }
}

/** G_t = Σ_k γ^k r_{t+k} over the real tokens. */
export function monteCarloReturns(input: TokenRewards & { readonly gamma: number }): Float64Array {
  const { rows, width, rewards, gamma } = input
  const returns = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    let next = 0
    for (const slot of realSlots(input, row)) next = returns[slot] = rewards[slot] + gamma * next
  }
  return returns
}

/** Reward of each token under a KL penalty, Ziegler et al., arXiv 1909.08593: the score comes with the last token. */
export function klRewards(input: KlRewardInput): Float64Array {
  const { rows, width, logProbs, refLogProbs, scores, beta } = input
  const rewards = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++)
    realSlots(input, row).forEach((slot, fromLast) => {
      rewards[slot] = -beta * (logProbs[slot] - refLogProbs[slot]) + (fromLast === 0 ? scores[row] : 0)
    })
  return rewards
}
