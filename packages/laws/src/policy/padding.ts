import type { ForestBatch, TensorData } from '@collimate/core'
import { lawInputs } from './cases.js'

/** Where padding is put: columns before, between and behind the tokens of a row, scored slots before and behind, pairs behind. */
export interface Padding {
  readonly before: number
  readonly between: number
  readonly behind: number
  readonly scoredBefore: number
  readonly scoredBehind: number
  readonly pairs: number
}

export const noPadding: Padding = { before: 0, between: 0, behind: 0, scoredBefore: 0, scoredBehind: 0, pairs: 0 }

/**
 * The same batch, with inputs of the laws' objectives, with padding anywhere. Inputs of padding slots are NaN: whatever stands there must reach neither a loss
 * nor a gradient.
 */
export function padded(batch: ForestBatch, padding: Padding): ForestBatch {
  const { before, between, behind, scoredBefore, scoredBehind, pairs } = padding
  const width = before + batch.width * (1 + between) + behind
  const place = (slot: number): number =>
    Math.floor(slot / batch.width) * width + before + (slot % batch.width) * (1 + between)
  const spread = (values: Int32Array, fill: number): Int32Array => {
    const result = new Int32Array(batch.rows * width).fill(fill)
    values.forEach((value, slot) => (result[place(slot)] = value))
    return result
  }
  const around = <Data extends Int32Array | Float32Array | Float64Array>(values: Data, fill: number): Data => {
    const Type = values.constructor as new (length: number) => Data
    const result = new Type(scoredBefore + values.length + scoredBehind)
    result.fill(fill)
    result.set(values, scoredBefore)
    return result
  }
  const more = (values: TensorData, slots: number): Float64Array => {
    const result = new Float64Array(values.length + slots).fill(NaN)
    result.set(values)
    return result
  }
  const input = (name: string, values: TensorData): TensorData => {
    const unit = lawInputs[name as keyof typeof lawInputs].unit
    if (unit === 'tokens') return around(Float64Array.from(values), NaN)
    return more(values, unit === 'sequences' ? 2 * pairs : pairs)
  }
  return {
    ...batch,
    width,
    tokens: spread(batch.tokens, 0),
    positions: spread(batch.positions, 0),
    segments: spread(batch.segments, -1),
    prompts: spread(batch.prompts, -1),
    sources: around(batch.sources.map(place), 0),
    targets: around(batch.targets, 0),
    sequences: around(batch.sequences, 0),
    tokenMask: around(batch.tokenMask, 0),
    sequenceMask: Float32Array.from([...batch.sequenceMask, ...new Array<number>(2 * pairs).fill(0)]),
    sequenceCount: batch.sequenceCount + 2 * pairs,
    ends: Int32Array.from([...batch.ends.map(place), ...new Array<number>(2 * pairs).fill(0)]),
    inputs: Object.fromEntries(Object.entries(batch.inputs).map(([name, values]) => [name, input(name, values)])),
  }
}
