import { CollimateError } from '@collimate/core'
import type { Example } from '@collimate/core'

/**
 * TRL's column `margin` of a pair: how far the chosen reward is to be ahead; 0 where there is none. COLLIMATE_DATA_FIELD_INVALID
 * where it is no finite number.
 */
export function marginOf({ index, columns: { margin } }: Pick<Example, 'index' | 'columns'>): number {
  if (margin === undefined || margin === null) return 0
  if (typeof margin === 'number' && Number.isFinite(margin)) return margin
  throw new CollimateError(
    'COLLIMATE_DATA_FIELD_INVALID',
    `row ${index}: field \`margin\` is ${JSON.stringify(margin)}, not a finite number`,
    { hint: 'the margin is how far the chosen reward is to be ahead; leave it out where there is none' },
  )
}
