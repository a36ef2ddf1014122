import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { memorySource, type MakeRows } from './memory-source.js'
import { sumRow } from './sums.js'

export { memorySource } from './memory-source.js'
export type { MakeRows, Row } from './memory-source.js'
export { sumRow } from './sums.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  train: z.int().positive().default(1000).describe('rows to train on; default 1000'),
  evaluate: z.int().nonnegative().default(100).describe('held-out rows; default 100'),
  largest: z.int().positive().default(9).describe('largest number that is added; default 9'),
})

/** The rows that options ask for. */
export function rowsOf({ train, evaluate, largest }: z.output<typeof options>): MakeRows {
  return (seed) => {
    const rows = Array.from({ length: train + evaluate }, (_, index) => sumRow(index, largest, seed))
    return { train: rows.slice(0, train), evaluation: rows.slice(train) }
  }
}

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'data',
  description: 'Sums and their results, made in memory',
  options,
  // Claims are promises, and laws check them: it packs rows where it is asked to.
  capabilities: { packing: true },
  create: (chosen) => memorySource(rowsOf(chosen)),
})
