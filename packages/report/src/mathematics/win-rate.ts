import type { Measurement } from '@collimate/core'
import { poolSeeds, poolShares } from './pool.js'

/** Scores of the answers of one model to the same prompts as everybody's: [seeds][prompts]. */
export type SeedScores = readonly ArrayLike<number>[]

/**
 * How often answers of one model score higher than those of another to the same prompts; a tie counts half. The interval is
 * Wilson's where both have one seed, and over seeds and prompts where one has more; then seeds are paired as far as they
 * go round.
 */
export function winRate(one: SeedScores, other: SeedScores): Measurement {
  return poolShares(differences(one, other).map((row) => row.map((difference) => (1 + Math.sign(difference)) / 2)))
}

/** How much higher answers of one model score than those of another to the same prompts, in the mean, paired as in `winRate`. */
export function gain(one: SeedScores, other: SeedScores): Measurement {
  return poolSeeds(differences(one, other))
}

/** [pairs of seeds][prompts] */
function differences(one: SeedScores, other: SeedScores): Float64Array[] {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, pair) =>
    Float64Array.from(one[pair % one.length], (score, prompt) => score - other[pair % other.length][prompt]),
  )
}

/** Every pair of models: the share of prompts that the row wins against the column; null on the diagonal. */
export function winRateMatrix(models: readonly SeedScores[]): (Measurement | null)[][] {
  return models.map((row, i) => models.map((column, j) => (i === j ? null : winRate(row, column))))
}
