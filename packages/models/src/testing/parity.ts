import type { ForestBatch, HostTensor } from '@collimate/core'
import type { Program } from '@collimate/graph'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModel } from '../files/load-model.js'
import type { ModelFiles } from '../files/model-files.js'
import { readSafetensors } from '../files/safetensors.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')

/** Folder of a model whose values PyTorch computed; tolerances stand in test/parity/README.md. */
export const parityFolder = (name: string): string => join(root, 'test/parity/models', name)

/** Optional test data beside the repository; undefined where it is not there. */
export function sharedFolder(path: string): string | undefined {
  const folder = join(root, '../shared', path)
  return existsSync(folder) ? folder : undefined
}

export interface Layout {
  readonly input_ids: number[][]
  readonly attention_mask: number[][]
  readonly position_ids: number[][]
}

export interface Parity {
  readonly files: ModelFiles
  readonly rows: number[][]
  readonly right: Layout
  readonly left: Layout
  readonly loss: number
  readonly gradientNorms: Readonly<Record<string, number>>
  /** logits [26, V], logprobs [23], entropy [26], grad.NAME, all float64. */
  readonly tensors: Readonly<Record<string, HostTensor>>
}

export async function readParity(name: string): Promise<Parity> {
  const folder = parityFolder(name)
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, unknown>
  return {
    files: await loadModel(folder),
    rows: expected['rows'] as number[][],
    right: expected['right_padded'] as Layout,
    left: expected['left_padded'] as Layout,
    loss: expected['loss'] as number,
    gradientNorms: expected['gradient_l2'] as Record<string, number>,
    tensors: (await readSafetensors(join(folder, 'expected.safetensors'), { float64: true })).tensors,
  }
}

/** A token to score: where its distribution is read, and its id. */
interface Scored {
  readonly source: number
  readonly target: number
  readonly sequence: number
}

/**
 * A batch of the layout, each row a sequence. Scores next tokens; with `last`, also the (arbitrary) token after each end.
 * `padding` adds that many unused scored slots and sequences.
 */
export function batchOf(layout: Layout, options: { last?: boolean; padding?: number } = {}): ForestBatch {
  const width = layout.input_ids[0].length
  const real = layout.attention_mask.map((mask) => mask.flatMap((bit, column) => (bit ? [column] : [])))
  const scored = real.flatMap((columns, row): Scored[] =>
    columns.flatMap((column, i) => {
      const next = columns[i + 1]
      if (next === undefined && !options.last) return []
      const target = next === undefined ? 0 : layout.input_ids[row][next]
      return [{ source: row * width + column, target, sequence: row }]
    }),
  )
  const segments = layout.attention_mask.flatMap((mask) => mask.map((bit) => bit - 1))
  return forestBatch(
    {
      rows: real.length,
      width,
      tokens: layout.input_ids.flat(),
      positions: layout.position_ids.flat(),
      segments,
      prompts: segments,
    },
    scored,
    real.length,
    options.padding ?? 0,
  )
}

/** All rows behind each other in one row, as segments of their own. */
export function packedBatch(rows: readonly (readonly number[])[]): ForestBatch {
  const starts = rows.map((_, i) => rows.slice(0, i).flat().length)
  const segments = rows.flatMap((row, i) => row.map(() => i))
  return forestBatch(
    {
      rows: 1,
      width: segments.length,
      tokens: rows.flat(),
      positions: rows.flatMap((row) => [...row.keys()]),
      segments,
      prompts: segments,
    },
    rows.flatMap((row, sequence) =>
      row.slice(1).map((target, i) => ({ source: starts[sequence] + i, target, sequence })),
    ),
    rows.length,
    0,
  )
}

interface Rows {
  readonly rows: number
  readonly width: number
  readonly tokens: readonly number[]
  readonly positions: readonly number[]
  readonly segments: readonly number[]
  readonly prompts: readonly number[]
}

export function forestBatch(rows: Rows, scored: readonly Scored[], sequences: number, padding: number): ForestBatch {
  const padded = (values: readonly number[]) => [...values, ...new Array<number>(padding).fill(0)]
  return {
    rows: rows.rows,
    width: rows.width,
    tokens: Int32Array.from(rows.tokens),
    positions: Int32Array.from(rows.positions),
    segments: Int32Array.from(rows.segments),
    prompts: Int32Array.from(rows.prompts),
    sources: Int32Array.from(padded(scored.map(({ source }) => source))),
    targets: Int32Array.from(padded(scored.map(({ target }) => target))),
    sequences: Int32Array.from(padded(scored.map(({ sequence }) => sequence))),
    tokenMask: Float32Array.from(padded(scored.map(() => 1))),
    sequenceMask: Float32Array.from(padded(new Array<number>(sequences).fill(1))),
    sequenceCount: sequences + padding,
    ends: Int32Array.from(padded(Array.from({ length: sequences }, (_, n) => endOf(rows, scored, n)))),
    tokenCount: rows.segments.filter((segment) => segment >= 0).length,
    inputs: {},
  }
}

/** The last token of the segment in which a sequence's last scored token is read: completions here have two tokens or more. */
function endOf({ segments, width }: Rows, scored: readonly Scored[], sequence: number): number {
  const source = scored.findLast((token) => token.sequence === sequence)?.source ?? 0
  const row = Math.floor(source / width) * width
  return segments.slice(0, row + width).lastIndexOf(segments[source])
}

/** The feeds of a program, from a batch and further values. */
export function feedsOf(
  program: Program,
  batch: ForestBatch,
  further: Readonly<Record<string, HostTensor['data']>> = {},
) {
  const inputs = Object.fromEntries(Object.entries(batch.inputs).map(([name, data]) => [`inputs.${name}`, data]))
  const all: Record<string, unknown> = { ...batch, ...inputs, ...further }
  const feeds = program.inputs.filter(({ role }) => role === 'feed')
  return Object.fromEntries(feeds.map(({ name }) => [name, all[name] as HostTensor['data']]))
}

/** Copies for the interpreter, which computes in float64. */
export function float64(tensors: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, data: Float64Array.from(tensor.data) }]),
  )
}

/** Zero tensors of the same shapes under prefixed names. */
export function zerosLike(tensors: Readonly<Record<string, HostTensor>>, prefix: string): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      `${prefix}${name}`,
      { dtype: 'float' as const, shape, data: new Float64Array(data.length) },
    ]),
  )
}

/** Largest |a − b| / max(1, |b|). */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]))
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error
  }
  return worst
}

/** |a − b| over |b|, in the L2 norm. */
export function l2Error(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  return l2(Array.from(expected, (value, i) => actual[i] - value)) / l2(expected)
}

export function l2(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((total, value) => total + value * value, 0))
}
