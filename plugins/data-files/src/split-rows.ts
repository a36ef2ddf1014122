import { CollimateError, permutation, stream } from '@collimate/core'

/** Holds out a share of the rows: a seeded choice of at least one and not all, both parts in their order. */
export function splitRows<Row>(rows: readonly Row[], share: number, seed: number): { train: Row[]; evaluation: Row[] } {
  if (rows.length < 2) {
    throw new CollimateError(
      'COLLIMATE_DATA_SPLIT_EMPTY',
      `${rows.length} row cannot be divided into training and evaluation`,
      {
        hint: 'give more rows, or a file of its own for `evaluate`',
      },
    )
  }
  const count = Math.min(rows.length - 1, Math.max(1, Math.round(rows.length * share)))
  const held = new Set(permutation(seed, stream('split'), rows.length).subarray(0, count))
  return { train: rows.filter((_, at) => !held.has(at)), evaluation: rows.filter((_, at) => held.has(at)) }
}
