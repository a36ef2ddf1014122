export interface MaskedValues {
  readonly values: Float64Array
  /** 1 where a value counts. */
  readonly mask: Uint8Array
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Σ (v − mean)² / (n − 1), Bessel’s correction; 0 for one value. */
function variance(values: readonly number[]): number {
  if (values.length < 2) return 0
  const centre = mean(values)
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1)
}

/** (v − mean) / √(variance + 1e-8) over the values that count, as TRL’s `masked_whiten`. */
export function whiten({ values, mask }: MaskedValues): Float64Array {
  const real = Array.from(values).filter((_, slot) => mask[slot] !== 0)
  const [centre, scale] = [mean(real), 1 / Math.sqrt(variance(real) + 1e-8)]
  return values.map((value, slot) => (mask[slot] === 0 ? 0 : (value - centre) * scale))
}

/** Each group of neighbours through `f`. */
function byGroup(
  rewards: readonly number[],
  groupSize: number,
  f: (group: readonly number[]) => number[],
): Float64Array {
  const out: number[] = []
  for (let start = 0; start < rewards.length; start += groupSize)
    out.push(...f(rewards.slice(start, start + groupSize)))
  return Float64Array.from(out)
}

/** R_i − mean of the others = K/(K − 1) (R_i − mean), Ahmadian et al., arXiv 2402.14740. */
export function leaveOneOut(rewards: readonly number[], groupSize: number): Float64Array {
  return byGroup(rewards, groupSize, (group) => {
    const factor = group.length > 1 ? group.length / (group.length - 1) : 0
    return group.map((reward) => factor * (reward - mean(group)))
  })
}

/** (R_i − mean) / (standard deviation + 1e-4), GRPO, arXiv 2402.03300; without the division Dr. GRPO, arXiv 2503.20783. */
export function groupAdvantages(rewards: readonly number[], groupSize: number, scale: 'std' | 'none'): Float64Array {
  return byGroup(rewards, groupSize, (group) => {
    const divisor = scale === 'std' ? Math.sqrt(variance(group)) + 1e-4 : 1
    return group.map((reward) => (reward - mean(group)) / divisor)
  })
}
