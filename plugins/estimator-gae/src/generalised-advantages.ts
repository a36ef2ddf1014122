import type { EstimatorReply, EstimatorRequest } from '@collimate/core'

/** A request that has what generalised advantages are made of. */
export interface AdvantageRequest extends Pick<
  EstimatorRequest,
  'rows' | 'width' | 'rewards' | 'mask' | 'finalValues'
> {
  readonly values: Float64Array
}

/**
 * Generalised advantage estimation, Schulman et al., arXiv 1506.02438, eq. 16, backwards over the real tokens of each row:
 * δ_t = r_t + γ V_{t+1} − V_t, A_t = δ_t + γ λ A_{t+1}; returns A_t + V_t.
 *
 * Behind the last token V is 0, for nothing comes after it, or `finalValues` where a completion was cut and would have gone
 * on. Masked tokens are no steps: they are skipped, whatever they hold.
 */
export function generalisedAdvantages(
  { rows, width, rewards, values, mask, finalValues }: AdvantageRequest,
  { gamma, lambda }: { readonly gamma: number; readonly lambda: number },
): EstimatorReply {
  const advantages = new Float64Array(rows * width)
  const returns = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    let nextValue = finalValues?.[row] ?? 0
    let nextAdvantage = 0
    for (let slot = (row + 1) * width - 1; slot >= row * width; slot--) {
      if (mask[slot] === 0) continue
      const residual = rewards[slot] + gamma * nextValue - values[slot]
      nextAdvantage = residual + gamma * lambda * nextAdvantage
      nextValue = values[slot]
      advantages[slot] = nextAdvantage
      returns[slot] = nextAdvantage + values[slot]
    }
  }
  return { advantages, returns }
}
