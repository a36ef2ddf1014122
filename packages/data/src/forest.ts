import { CollimateError } from '@collimate/core'
import type { Example, ForestBatch, Unit } from '@collimate/core'
import { bucketSize } from './bucket.js'
import { packBestFit } from './packing.js'
import { scoredTokens } from './scored-tokens.js'

/**
 * `shared`: a row is an example, its prompt and behind it all its completions. `separate`: a row is one completion with its
 * prompt. `packed`: as `shared`, with several examples in a row where they fit. The values that a model computes are equal.
 */
export type Layout = 'shared' | 'separate' | 'packed'

/** Values of an objective's input, one number per unit of an example: its scored tokens, its completions, its pairs. */
export interface BatchInput {
  readonly unit: Unit
  /** `position`: where the example stands in the list that the batch was asked for. */
  values(example: Example, position: number): ArrayLike<number>
}

export interface ForestOptions {
  readonly layout?: Layout
  /** Least width of a row, tokens; for `packed` the room that examples are packed into. Default: the longest row. */
  readonly width?: number
  /** Round width and scored tokens up to a few sizes (`bucketSize`), so that few programs are compiled. Default true. */
  readonly bucket?: boolean
  readonly inputs?: Readonly<Record<string, BatchInput>>
}

/** A stretch of tokens that see each other: a prompt, or a completion with the prompt that it sees. */
interface Segment {
  readonly ids: Int32Array
  /** Position of its first token. */
  readonly start: number
  /** Number of segments back to its prompt; 0 where it sees only itself. */
  readonly back: number
}

/** A prompt with some of its completions, side by side in a row. */
interface Tree {
  readonly example: Example
  readonly position: number
  readonly completions: readonly number[]
  readonly segments: readonly Segment[]
  readonly length: number
}

/**
 * Lays examples out as a batch. Sequences follow the examples in their order, whatever the rows are; scored tokens follow
 * the sequences. Padding is 0 (−1 in `segments` and `prompts`), at the end of rows and of the scored tokens.
 * COLLIMATE_BATCH_INPUT_INVALID where an input does not give one number per unit.
 */
export function forestBatch(examples: readonly Example[], options: ForestOptions = {}): ForestBatch {
  const { layout = 'shared', bucket = true } = options
  const round = (size: number): number => (bucket ? bucketSize(size) : size)
  const trees = examples.flatMap((example, position) => treesOf(example, position, layout))
  const longest = Math.max(1, options.width ?? 1, ...trees.map((tree) => tree.length))
  const width = round(longest)
  const packs =
    layout === 'packed'
      ? packBestFit(
          trees.map((tree) => tree.length),
          width,
        )
      : trees.map((_, at) => [at])
  const rows = packs.length

  const tokens = new Int32Array(rows * width)
  const positions = new Int32Array(rows * width)
  const segments = new Int32Array(rows * width).fill(-1)
  const prompts = new Int32Array(rows * width).fill(-1)
  /** Where each completion of each example lies. */
  const places: Place[][] = examples.map(() => [])
  let tokenCount = 0
  packs.forEach((pack, row) => {
    let at = row * width
    let segment = 0
    for (const tree of pack.map((item) => trees[item])) {
      const begin = at
      for (const [number, { ids, start, back }] of tree.segments.entries()) {
        tokens.set(ids, at)
        for (let offset = 0; offset < ids.length; offset++) positions[at + offset] = start + offset
        segments.fill(segment, at, at + ids.length)
        prompts.fill(segment - back, at, at + ids.length)
        const completion = tree.completions[number - (tree.segments.length - tree.completions.length)]
        if (completion !== undefined) {
          const before = begin + start - 1
          places[tree.position][completion] = { at, before, end: ids.length > 0 ? at + ids.length - 1 : before }
        }
        at += ids.length
        segment += 1
      }
      tokenCount += tree.length
    }
  })

  const scored = score(examples, places)
  const size = round(Math.max(1, scored.sources.length))
  const sequenceCount = examples.reduce((count, example) => count + example.completions.length, 0)
  return {
    rows,
    width,
    tokens,
    positions,
    segments,
    prompts,
    sources: padded(scored.sources, size),
    targets: padded(scored.targets, size),
    sequences: padded(scored.sequences, size),
    tokenMask: new Float32Array(size).fill(1, 0, scored.sources.length),
    sequenceMask: new Float32Array(sequenceCount).fill(1),
    sequenceCount,
    ends: endsOf(examples, places),
    tokenCount,
    inputs: inputsOf(examples, options.inputs ?? {}, size),
  }
}

function treesOf(example: Example, position: number, layout: Layout): Tree[] {
  const all = example.completions.map((_, at) => at)
  const groups = layout === 'separate' && all.length > 0 ? all.map((at) => [at]) : [all]
  return groups.map((completions) => {
    const { prompt } = example
    const segments: Segment[] = prompt.length > 0 ? [{ ids: prompt, start: 0, back: 0 }] : []
    completions.forEach((at, number) => {
      segments.push({
        ids: example.completions[at],
        start: prompt.length,
        back: prompt.length > 0 ? number + 1 : 0,
      })
    })
    return { example, position, completions, segments, length: segments.reduce((sum, { ids }) => sum + ids.length, 0) }
  })
}

/** Flat indices of a completion: its first token, its prompt's last, and the last token of both together. */
interface Place {
  readonly at: number
  readonly before: number
  readonly end: number
}

/** [N] last tokens; 0 for a sequence without any token. */
function endsOf(examples: readonly Example[], places: readonly (readonly Place[])[]): Int32Array {
  return Int32Array.from(
    examples.flatMap(({ prompt, completions }, position) =>
      completions.map((ids, at) => (prompt.length + ids.length > 0 ? places[position][at].end : 0)),
    ),
  )
}

function score(examples: readonly Example[], places: readonly (readonly Place[])[]) {
  const sources: number[] = []
  const targets: number[] = []
  const sequences: number[] = []
  let sequence = 0
  examples.forEach((example, position) => {
    example.completions.forEach((ids, completion) => {
      const place = places[position][completion]
      for (const token of scoredTokens(example, completion)) {
        sources.push(token === 0 ? place.before : place.at + token - 1)
        targets.push(ids[token])
        sequences.push(sequence)
      }
      sequence += 1
    })
  })
  return { sources, targets, sequences }
}

function padded(values: readonly number[], size: number): Int32Array {
  const result = new Int32Array(size)
  result.set(values)
  return result
}

function inputsOf(
  examples: readonly Example[],
  inputs: Readonly<Record<string, BatchInput>>,
  tokens: number,
): ForestBatch['inputs'] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => {
      const values = examples.flatMap((example, position) => {
        const given = Array.from(input.values(example, position))
        const needed = unitsOf(example, input.unit)
        if (given.length === needed) return given
        throw new CollimateError(
          'COLLIMATE_BATCH_INPUT_INVALID',
          `input ${name}: row ${example.index} has ${given.length} values for ${needed} ${input.unit}`,
          {
            hint: 'an input gives one number for each unit of an example',
          },
        )
      })
      // In double precision: a backend that computes in less rounds by itself.
      const result = new Float64Array(input.unit === 'tokens' ? tokens : values.length)
      result.set(values)
      return [name, result]
    }),
  )
}

function unitsOf(example: Example, unit: Unit): number {
  const { completions } = example
  if (unit === 'tokens') return completions.reduce((count, _, at) => count + scoredTokens(example, at).length, 0)
  return unit === 'sequences' ? completions.length : completions.length / 2
}

/** Sums values per scored token [T] over the real tokens of each sequence: [N], in float64. */
export function sumBySequence(batch: ForestBatch, perToken: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(batch.sequenceCount)
  batch.sequences.forEach((sequence, token) => {
    if (batch.tokenMask[token] !== 0) sums[sequence] += perToken[token]
  })
  return sums
}
