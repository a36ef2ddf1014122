import { CollimateError, type ForestBatch, type Unit } from '@collimate/core'
import { and, greater, input, reshape, slice, type DType, type Shape, type Tensor } from '@collimate/graph'

/** Sizes that a program is built for: R, S, T and N of `ForestBatch`. */
export interface BatchSizes {
  readonly rows: number
  readonly width: number
  readonly scored: number
  readonly sequences: number
}

export function batchSizes(batch: ForestBatch): BatchSizes {
  const { rows, width, targets, sequenceCount } = batch
  return { rows, width, scored: targets.length, sequences: sequenceCount }
}

/** Units of each kind in a batch of these sizes; COLLIMATE_BATCH_INVALID where sequences do not come in pairs. */
export function unitSize(sizes: BatchSizes, unit: Unit): number {
  if (unit !== 'pairs') return unit === 'tokens' ? sizes.scored : sizes.sequences
  if (sizes.sequences % 2 === 0) return sizes.sequences / 2
  throw new CollimateError('COLLIMATE_BATCH_INVALID', `a batch of ${sizes.sequences} sequences has no pairs`, {
    hint: 'an objective on pairs needs sequences 2i (chosen) and 2i + 1 (rejected)',
  })
}

const shapes = {
  tokens: ['int', ({ rows, width }) => [rows, width]],
  positions: ['int', ({ rows, width }) => [rows, width]],
  segments: ['int', ({ rows, width }) => [rows, width]],
  prompts: ['int', ({ rows, width }) => [rows, width]],
  sources: ['int', ({ scored }) => [scored]],
  targets: ['int', ({ scored }) => [scored]],
  sequences: ['int', ({ scored }) => [scored]],
  tokenMask: ['float', ({ scored }) => [scored]],
  sequenceMask: ['float', ({ sequences }) => [sequences]],
  ends: ['int', ({ sequences }) => [sequences]],
} as const satisfies Record<string, readonly [DType, (sizes: BatchSizes) => Shape]>

type BatchField = keyof typeof shapes

/** Feeds of a batch, named as its fields. */
export function batchInputs(sizes: BatchSizes): Readonly<Record<BatchField, Tensor>> {
  const entries = Object.entries(shapes).map(
    ([name, [dtype, shape]]) => [name, input(name, shape(sizes), dtype)] as const,
  )
  return Object.fromEntries(entries) as Record<BatchField, Tensor>
}

/** Feed of a declared input of an objective, named `inputs.NAME`. */
export function objectiveInput(name: string, unit: Unit, sizes: BatchSizes): Tensor {
  return input(`inputs.${name}`, [unitSize(sizes, unit)])
}

/** Conditions that say which units are real: bool [T], [N], [N/2]; a pair is real where both sequences are. */
export function unitMasks(batch: Readonly<Record<'tokenMask' | 'sequenceMask', Tensor>>): (unit: Unit) => Tensor {
  const tokens = greater(batch.tokenMask, 0.5)
  const sequences = greater(batch.sequenceMask, 0.5)
  return (unit) => (unit === 'tokens' ? tokens : unit === 'sequences' ? sequences : both(sequences))
}

function both(sequences: Tensor): Tensor {
  const pairs = sequences.shape[0] / 2
  const table = reshape(sequences, [pairs, 2])
  const column = (i: number): Tensor => reshape(slice(table, [0, i], [pairs, i + 1]), [pairs])
  return and(column(0), column(1))
}
