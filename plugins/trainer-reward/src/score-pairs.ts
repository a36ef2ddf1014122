import { CollimateError } from '@collimate/core'
import type { Example, Model } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { marginOf } from './margin-of.js'

/** What a reward model says of a pair. */
export interface ScoredPair {
  readonly chosen: number
  readonly rejected: number
  /** That of the data, 0 where it has none. */
  readonly margin: number
}

/**
 * The scores of pairs, in their order; a pair is one row.
 *
 * @throws CollimateError COLLIMATE_NOT_FINITE naming the row
 */
export async function scorePairs(
  model: Pick<Model, 'outputs'>,
  pairs: readonly Example[],
  microBatchSize: number,
): Promise<readonly ScoredPair[]> {
  const scored: ScoredPair[] = []
  const { batches, order } = microBatches(pairs, { microBatchSize })
  for (const [number, batch] of batches.entries()) {
    const { scores = [] } = await model.outputs({ batch, names: ['scores'] })
    order[number].forEach((position, k) => {
      const pair = { chosen: scores[2 * k], rejected: scores[2 * k + 1], margin: marginOf(pairs[position]) }
      if (!Number.isFinite(pair.chosen - pair.rejected)) {
        throw new CollimateError(
          'COLLIMATE_NOT_FINITE',
          `row ${pairs[position].index}: the rewards are ${pair.chosen} and ${pair.rejected}`,
          { hint: 'the model has diverged: lower the learning rate' },
        )
      }
      scored[position] = pair
    })
  }
  return scored
}
