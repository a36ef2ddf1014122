import type { Clip } from './formulas.js'

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high)

/** max(−A ρ, −A clip(ρ, 1 − low, 1 + high)) with ρ = exp(log ratio), Schulman et al., arXiv 1707.06347, eq. 7. */
export function clippedSurrogate(logRatio: number, advantage: number, { low, high }: Clip): number {
  const ratio = Math.exp(logRatio)
  return Math.max(-advantage * ratio, -advantage * clamp(ratio, 1 - low, 1 + high))
}

/** The clipped surrogate, at most −A c for A < 0: Ye et al., arXiv 1912.09729. */
export function dualClip(logRatio: number, advantage: number, clip: Clip, c: number): number {
  const loss = clippedSurrogate(logRatio, advantage, clip)
  return advantage < 0 ? Math.min(loss, -advantage * c) : loss
}

/** ½ max((v − R)², (clip(v, v_old ± range) − R)²), as in OpenAI baselines’ PPO and TRL. */
export function clippedValueLoss(value: number, oldValue: number, target: number, range: number): number {
  const clipped = clamp(value, oldValue - range, oldValue + range)
  return Math.max((value - target) ** 2, (clipped - target) ** 2) / 2
}
