import { CollimateError, fraction, stream, type Example } from '@collimate/core'
import fc, { type Arbitrary } from 'fast-check'
import { exampleOf } from './distribution-of.js'
import { logPreference, logSigmoid } from './exact.js'
import { completionCount, makeWorld, type Table, type World } from './world.js'
import { tables, type WorldLimits } from './worlds.js'

/** A world whose Bradley-Terry probabilities are ratios of whole numbers: P(a ≻ b | x) = odds(a) / (odds(a) + odds(b)). */
export interface PreferenceWorld {
  readonly world: World
  /** [X][Y] whole numbers from 1; the reward is their logarithm. */
  readonly odds: Table
}

export interface PreferenceWorldParts {
  readonly letters: number
  readonly maxLength: number
  readonly beta: number
  readonly odds: Table
  readonly referenceLogits?: Table
}

export function makePreferenceWorld({ odds, ...parts }: PreferenceWorldParts): PreferenceWorld {
  return { world: makeWorld({ ...parts, rewards: odds.map((row) => row.map(Math.log)) }), odds }
}

/** Random worlds with exact preferences, small and tame enough to be trained in. */
export function preferenceWorlds({
  most = 7,
  prompts = 2,
}: Pick<WorldLimits, 'most' | 'prompts'> = {}): Arbitrary<PreferenceWorld> {
  const sizes = [
    { letters: 1, maxLength: 1 },
    { letters: 1, maxLength: 2 },
    { letters: 2, maxLength: 1 },
    { letters: 1, maxLength: 3 },
    { letters: 2, maxLength: 2 },
  ].filter(({ letters, maxLength }) => completionCount(letters, maxLength) <= most)
  return fc
    .record({
      size: fc.constantFrom(...sizes),
      rows: fc.integer({ min: 1, max: prompts }),
      beta: fc.constantFrom(1, 0.5, 2),
    })
    .chain(({ size, rows, beta }) => {
      const count = completionCount(size.letters, size.maxLength)
      return fc
        .record({
          odds: tables(rows, count, fc.integer({ min: 1, max: 4 })),
          referenceLogits: tables(rows, count, fc.integer({ min: -2, max: 2 })),
        })
        .map((numbers) => makePreferenceWorld({ ...size, beta, ...numbers }))
    })
}

/** One comparison: at prompt x, completion `chosen` is preferred to `rejected`. */
export interface Comparison {
  readonly x: number
  readonly chosen: number
  readonly rejected: number
}

/** Every ordered pair, as often as its probability says: the share of a ≻ b among the rows of a and b is P(a ≻ b). */
export function exactPreferences({ odds }: Pick<PreferenceWorld, 'odds'>): Comparison[] {
  const wrong = odds.flat().find((value) => !(Number.isSafeInteger(value) && value >= 1))
  if (wrong !== undefined)
    throw new CollimateError('COLLIMATE_OPTION_INVALID', `odds must be whole numbers from 1, found ${wrong}`)
  return odds.flatMap((row, x) =>
    row.flatMap((mine, chosen) =>
      row.flatMap((theirs, rejected) => {
        if (chosen === rejected) return []
        const copies = mine / greatestCommonDivisor(mine, theirs)
        return Array.from({ length: copies }, () => ({ x, chosen, rejected }))
      }),
    ),
  )
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))

/** Comparisons of pairs that are drawn evenly, decided by Bradley-Terry with the world's rewards. */
export function samplePreferences({ prompts, completions, rewards }: World, count: number, seed: number): Comparison[] {
  const draw = (row: number, index: number): number => fraction(seed, stream('corpus', row), index)
  return Array.from({ length: count }, (_, row) => {
    const x = Math.floor(draw(row, 0) * prompts.length)
    const a = Math.floor(draw(row, 1) * completions.length)
    const b = (a + 1 + Math.floor(draw(row, 2) * (completions.length - 1))) % completions.length
    return Math.log(draw(row, 3)) < logPreference(rewards, x, a, b)
      ? { x, chosen: a, rejected: b }
      : { x, chosen: b, rejected: a }
  })
}

/** Comparisons as rows of a preference dataset. */
export function preferenceExamples({ prompts, completions }: World, comparisons: readonly Comparison[]): Example[] {
  return comparisons.map(({ x, chosen, rejected }, index) =>
    exampleOf(index, prompts[x], [completions[chosen], completions[rejected]]),
  )
}

/** Rows of a prompt-completion dataset in which completion y of prompt x stands `counts[x][y]` times. */
export function imitationExamples({ prompts, completions }: World, counts: Table): Example[] {
  const rows = counts.flatMap((row, x) => row.flatMap((count, y) => Array.from({ length: count }, () => ({ x, y }))))
  return rows.map(({ x, y }, index) => exampleOf(index, prompts[x], [completions[y]]))
}

/**
 * Rows of a stepwise dataset in which every token is a step: completion y of prompt x stands five times, as often as
 * `counts[x][y]` (1 to 4) says with its last step right and all others wrong, otherwise the other way round.
 */
export function stepwiseExamples({ prompts, completions }: World, counts: Table): Example[] {
  const rows = counts.flatMap((row, x) =>
    row.flatMap((count, y) => Array.from({ length: 5 }, (_, copy) => ({ x, y, right: copy < count ? 1 : 0 }))),
  )
  return rows.map(({ x, y, right }, index) => ({
    ...exampleOf(index, prompts[x], [completions[y]]),
    labels: [Int32Array.from(completions[y], (_, at) => (at === completions[y].length - 1 ? right : 1 - right))],
  }))
}

/** Rows of a prompt-only dataset, each prompt `copies` times. */
export function promptExamples({ prompts }: World, copies: number): Example[] {
  const rows = Array.from({ length: copies }, () => prompts).flat()
  return rows.map((prompt, index) => exampleOf(index, prompt, []))
}

/** −Σ log σ(r(chosen) − r(rejected)): the negative log-likelihood of comparisons under rewards. */
export function comparisonLoss(rewards: Table, comparisons: readonly Comparison[]): number {
  return comparisons.reduce(
    (sum, { x, chosen, rejected }) => sum - logSigmoid(rewards[x][chosen] - rewards[x][rejected]),
    0,
  )
}
