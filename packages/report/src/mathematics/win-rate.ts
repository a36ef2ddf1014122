import type { Measurement } from '@collimate/core'
import { poolShares } from './pool.js'

/** Scores of the answers of one model to the same prompts as everybody's: [seeds][prompts]. */
export type SeedScores = readonly ArrayLike<number>[]

/**
 * How often answers of one model score higher than those of another to the same prompts; a tie counts half. The interval is
 * Wilson's where both have one seed, and over seeds and prompts where one has more; then seeds are paired as far as they
 * go round.
 */
export function winRate(one: SeedScores, other: SeedScores): Measurement {
  const pairs = Math.max(one.length, other.length)
  const wins = Array.from({ length: pairs }, (_, pair) =>
    Float64Array.from(one[pair % one.length], (score, prompt) => {
      return (1 + Math.sign(score - other[pair % other.length][prompt])) / 2
    }),
  )
  return poolShares(wins)
}

/** Every pair of models: the share of prompts that the row wins against the column; null on the diagonal. */
export function winRateMatrix(models: readonly SeedScores[]): (Measurement | null)[][] {
  return models.map((row, i) => models.map((column, j) => (i === j ? null : winRate(row, column))))
}
