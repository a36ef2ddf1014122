import type { ForestBatch, ModelOutput, Objective, TensorData, Unit } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import type { BatchSizes } from '@collimate/models'
import type { ExampleCase, Numbers } from './example.js'

/** Slots that stand for nothing: how many, before or after the real ones, and what they hold. */
export interface Padding {
  readonly tokens: number
  /** Examples, each with its sequences. */
  readonly examples: number
  readonly at: 'start' | 'end'
  readonly junk: number
}

export const noPadding: Padding = { tokens: 0, examples: 0, at: 'end', junk: 0 }

/** Examples as the scored part of a batch, with the numbers that a model would put out for it. */
export interface Layout {
  readonly sizes: BatchSizes
  readonly batch: ForestBatch
  readonly outputs: Readonly<Record<ModelOutput, Float64Array>>
  /** Slots of the real tokens [tokens] and sequences [sequences], in the order of the examples. */
  readonly tokenSlots: readonly number[]
  readonly sequenceSlots: readonly number[]
}

const perToken = ['logProbs', 'entropy', 'correct', 'meanLogits', 'values'] as const

/** Lays examples out as the contract of `ForestBatch` says: sequences of an example are neighbours, padding is masked. */
export function layOut(
  examples: readonly ExampleCase[],
  objective: Pick<Objective<Tensor>, 'inputs'>,
  padding: Padding = noPadding,
): Layout {
  const perExample = examples[0].sequences.length
  const real = examples.flatMap(({ sequences }) => sequences)
  const tokens = real.flatMap((sequence) => sequence.tokens)
  const [lead, leadTokens] = padding.at === 'start' ? [padding.examples, padding.tokens] : [0, 0]
  const counts = {
    tokens: tokens.length + padding.tokens,
    sequences: real.length + perExample * padding.examples,
    pairs: examples.length + padding.examples,
  }
  const tokenSlots = tokens.map((_, at) => leadTokens + at)
  const sequenceSlots = real.map((_, at) => perExample * lead + at)
  const filled = (unit: Unit, values: readonly Numbers[], name: string) => {
    const start = { tokens: leadTokens, sequences: perExample * lead, pairs: lead }[unit]
    return place(
      counts[unit],
      start,
      values.map((numbers) => numbers[name]),
      padding.junk,
    )
  }
  const values: Readonly<Record<Unit, readonly Numbers[]>> = {
    tokens,
    sequences: real.map(({ whole }) => whole),
    pairs: examples.map(({ pair }) => pair),
  }
  const inputs = Object.entries(objective.inputs).map(([name, unit]): [string, TensorData] => [
    name,
    filled(unit, values[unit], name),
  ])
  const ones = (count: number) => new Array<number>(count).fill(1)
  const owners = real.flatMap((sequence, at) => sequence.tokens.map(() => sequenceSlots[at]))
  const none = new Int32Array(0)
  return {
    sizes: { rows: 1, width: 1, scored: counts.tokens, sequences: counts.sequences },
    batch: {
      rows: 1,
      width: 1,
      ...{ tokens: none, positions: none, segments: none, prompts: none, sources: none, targets: none },
      sequences: Int32Array.from(place(counts.tokens, leadTokens, owners, 0)),
      tokenMask: Float32Array.from(place(counts.tokens, leadTokens, ones(tokens.length), 0)),
      sequenceMask: Float32Array.from(place(counts.sequences, perExample * lead, ones(real.length), 0)),
      sequenceCount: counts.sequences,
      ends: none,
      tokenCount: tokens.length,
      inputs: Object.fromEntries(inputs),
    },
    outputs: {
      ...(Object.fromEntries(perToken.map((name) => [name, filled('tokens', tokens, name)])) as Record<
        (typeof perToken)[number],
        Float64Array
      >),
      scores: filled('sequences', values.sequences, 'scores'),
    },
    tokenSlots,
    sequenceSlots,
  }
}

function place(count: number, start: number, values: readonly number[], junk: number): Float64Array {
  const out = new Float64Array(count).fill(junk)
  out.set(values, start)
  return out
}
