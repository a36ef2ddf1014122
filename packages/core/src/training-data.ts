import type { DataInfo, DataSource } from './contracts/data-source.js'
import type { TrainingData } from './contracts/trainer.js'
import { CollimateError } from './errors.js'
import { permutation, stream } from './random.js'

/** The data of a run with the place in it. */
export interface OrderedData extends TrainingData {
  /** Training examples consumed since the beginning, over all epochs: the cursor. */
  consumed(): number
}

/**
 * Puts a data source in order: epoch e reads the training split in the permutation of stream `order` e (or as it is),
 * beginning at the cursor. Batches end with their epoch: the last one of an epoch may be short, as in TRL.
 */
export function orderedData(
  source: Pick<DataSource, 'read'>,
  info: DataInfo,
  { seed, shuffle, consumed: start }: { seed: number; shuffle: boolean; consumed: number },
): OrderedData {
  const trainLength = info.train.length
  const evaluationLength = info.evaluation?.length ?? 0
  let consumed = start
  let order: { epoch: number; indices: Int32Array } | undefined

  function orderOf(epoch: number): Int32Array {
    if (order?.epoch !== epoch) order = { epoch, indices: permutation(seed, stream('order', epoch), trainLength) }
    return order.indices
  }

  return {
    trainLength,
    trainFingerprint: info.train.fingerprint,
    evaluationLength,
    evaluationFingerprint: info.evaluation?.fingerprint ?? '',
    consumed: () => consumed,
    async next(count) {
      if (!Number.isInteger(count) || count < 1)
        throw new CollimateError('COLLIMATE_DATA_RANGE', `cannot take ${count} examples`)
      const epoch = Math.floor(consumed / trainLength)
      const position = consumed % trainLength
      const taken = Math.min(count, trainLength - position)
      const places = Array.from({ length: taken }, (_, i) => position + i)
      const indices = shuffle ? places.map((place) => orderOf(epoch)[place]) : places
      consumed += taken
      return source.read({ split: 'train', indices })
    },
    async read(split, indices) {
      const length = split === 'train' ? trainLength : evaluationLength
      const outside = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < length))
      if (outside !== undefined)
        throw new CollimateError('COLLIMATE_DATA_RANGE', `example ${outside} of ${length} in the ${split} split`)
      return source.read({ split, indices })
    },
  }
}

/** Optimiser steps of a run: given, or batches per epoch (rounded up) times epochs (rounded up), as in transformers. */
export function stepsOf(
  length: { readonly steps: number } | { readonly epochs: number },
  trainLength: number,
  batchSize: number,
): number {
  return 'steps' in length ? length.steps : Math.ceil(length.epochs * Math.ceil(trainLength / batchSize))
}
