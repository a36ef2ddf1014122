import { bootstrapInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'

/** Scores of the two answers to each prompt, in the same order. */
export interface PairedScores {
  readonly policy: readonly number[]
  readonly reference: readonly number[]
}

/**
 * Mean scores, their difference and the win rate of the policy (a tie counts half), with 95 % bootstrap intervals. Each
 * resample draws prompts with both of their scores, so that what the two answers to a prompt have in common does not
 * widen the interval of the difference.
 */
export function compareScores({ policy, reference }: PairedScores, seed: number): Record<string, Measurement> {
  const difference = policy.map((score, i) => score - reference[i])
  const measure = (values: readonly number[]) =>
    bootstrapInterval(values.length, (indices) => mean(indices, values), { seed, resamples: 2000 })
  return {
    win_rate: measure(difference.map((value) => (Math.sign(value) + 1) / 2)),
    'reward/policy': measure(policy),
    'reward/reference': measure(reference),
    'reward/difference': measure(difference),
  }
}

function mean(indices: Int32Array, values: readonly number[]): number {
  let sum = 0
  for (const index of indices) sum += values[index]
  return sum / indices.length
}
