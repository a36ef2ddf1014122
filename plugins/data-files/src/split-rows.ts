import { CollimateError, permutation, stream } from '@collimate/core'

/**
 * Holds out a part of the rows, a share below 1 or a number of rows: a seeded choice, both parts in their order. A share
 * is at least one row and never all.
 */
export function splitRows<Row>(rows: readonly Row[], part: number, seed: number): { train: Row[]; evaluation: Row[] } {
  if (part >= 1 && part >= rows.length) {
    throw new CollimateError(
      'COLLIMATE_DATA_SPLIT_EMPTY',
      `${part} rows cannot be held out of ${rows.length}: none would be left to train on`,
      { hint: 'hold out fewer rows, or a share below 1' },
    )
  }
  if (rows.length < 2) {
    throw new CollimateError(
      'COLLIMATE_DATA_SPLIT_EMPTY',
      `${rows.length} row cannot be divided into training and evaluation`,
      {
        hint: 'give more rows, or a file of its own for `evaluate`',
      },
    )
  }
  const count = part >= 1 ? part : Math.min(rows.length - 1, Math.max(1, Math.round(rows.length * part)))
  const held = new Set(permutation(seed, stream('split'), rows.length).subarray(0, count))
  return { train: rows.filter((_, at) => !held.has(at)), evaluation: rows.filter((_, at) => held.has(at)) }
}
