import type { Rollout } from '@collimate/core'
import type { Scores } from './score-rollouts.js'

const mean = (values: ArrayLike<number>): number =>
  values.length === 0 ? 0 : Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

/** Standard deviation with Bessel's correction, as torch.std; 0 for fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length < 2) return 0
  const centre = mean(values)
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}

/** Lengths of the completions, in TRL's names: tokens, the end token included. */
export function lengthMetrics(rollouts: readonly Rollout[]): Record<string, number> {
  const lengths = rollouts.map(({ completion }) => completion.ids.length)
  const ended = rollouts.filter(({ endedBy }) => endedBy === 'stop').map(({ completion }) => completion.ids.length)
  const extremes = (name: string, values: readonly number[]) => ({
    [`completions/mean_${name}`]: mean(values),
    [`completions/min_${name}`]: values.length === 0 ? 0 : Math.min(...values),
    [`completions/max_${name}`]: values.length === 0 ? 0 : Math.max(...values),
  })
  return {
    ...extremes('length', lengths),
    ...extremes('terminated_length', ended),
    'completions/clipped_ratio': 1 - ended.length / Math.max(1, lengths.length),
  }
}

/**
 * Rewards before any KL penalty, in TRL's names: `reward` and `reward_std` over all completions, those of the parts, and the
 * share of groups in which all rewards are equal, so that nothing is learnt from them.
 */
export function rewardMetrics(
  { totals, parts }: Pick<Scores, 'totals' | 'parts'>,
  groupSize: number,
): Record<string, number> {
  const groups: Float64Array[] = []
  for (let start = 0; start < totals.length; start += groupSize) groups.push(totals.slice(start, start + groupSize))
  const ofParts = Object.entries(parts).flatMap(([name, values]) => [
    [`rewards/${name}/mean`, mean(values)] as const,
    [`rewards/${name}/std`, standardDeviation(values)] as const,
  ])
  return {
    reward: mean(totals),
    reward_std: standardDeviation(totals),
    ...(groupSize > 1 && {
      frac_reward_zero_std: groups.filter((group) => standardDeviation(group) < 1e-8).length / groups.length,
    }),
    ...Object.fromEntries(ofParts),
  }
}

/** Sums of each row over the tokens that count. */
export function rowSums(rows: readonly ArrayLike<number>[], masks: readonly Uint8Array[]): Float64Array {
  return Float64Array.from(rows, (row, at) =>
    Array.from(row).reduce((sum, value, token) => (masks[at][token] === 0 ? sum : sum + value), 0),
  )
}
