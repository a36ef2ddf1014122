import type { TensorData } from '@collimate/core'
import { visibility } from './decode-columns.js'
import type { Columns } from './decode-columns.js'
import type { EntryShape } from './decode-programs.js'
import { ageOf } from './decode-row.js'
import type { Row } from './decode-row.js'
import { filled, programPrompts, programRows, roundUp } from './schedule.js'

type Feeds = Record<string, TensorData>

/** How tokens are drawn. */
export interface Draw {
  /** 0 = greedy. */
  readonly temperature: number
  /** The uniform number that decides token `index` of a prompt's completion. */
  readonly uniform: (prompt: number, index: number) => number
}

/**
 * What the enter program is for completions that begin, and its feeds.
 *
 * @param rows of the cache
 * @param places the row that each completion enters
 * @param keep other rows hold what is still needed
 * @param contextLength no prompt is padded beyond it
 */
export function entryOf(
  started: readonly Row[],
  to: { readonly rows: number; readonly places: readonly number[]; readonly keep: boolean },
  contextLength: number,
): { readonly entry: EntryShape; readonly feeds: Feeds } {
  const { rows, places, keep } = to
  const entering = keep ? programRows(started.length, rows) : rows
  const { read, numbers } = promptsOf(started, entering)
  const prompts = programPrompts(read.length, entering)
  const width = Math.min(contextLength, roundUp(Math.max(...read.map(({ length }) => length))))

  const tokens = new Int32Array(prompts * width)
  filled(read, prompts).forEach((ids, number) => tokens.set(ids, number * width))
  const last = started.map(({ ids }, at) => numbers[at] * width + ids.length - 1)
  const sources = new Int32Array(rows).fill(keep ? -1 : 0)
  places.forEach((place, at) => (sources[place] = numbers[at]))
  const own = !keep && read.length === started.length && prompts === rows
  return {
    entry: { entering, prompts, width, into: keep ? 'some' : own ? 'own' : 'all' },
    feeds: { tokens, last: Int32Array.from(filled(last, entering)), sources, slot: Int32Array.of(0) },
  }
}

/** The prompts to read, and the number of each completion's among them: equal ones once, where that makes the program smaller. */
function promptsOf(started: readonly Row[], most: number) {
  const contents = [...new Set(started.map(({ content }) => content))]
  const size = (count: number) => programPrompts(count, most)
  if (size(contents.length) === size(started.length))
    return { read: started.map(({ ids }) => ids), numbers: [...started.keys()] }
  const numberOf = new Map(contents.map((content, number) => [content, number]))
  const numbers = started.map(({ content }) => numberOf.get(content) ?? 0)
  return { read: contents.map((_, number) => started[numbers.indexOf(number)].ids), numbers }
}

/** Feeds of a step; `filler` is a token for rows that are free, whose results nobody reads. */
export function stepFeeds(rows: readonly (Row | undefined)[], columns: Columns, filler: number): Feeds {
  const living = rows.map((row) => (row?.live === true ? row : undefined))
  const sights = living.map((row) => row && { prompt: row.ids.length, age: ageOf(row) })
  return {
    tokens: Int32Array.from(living, (row) => row?.tokens.at(-1) ?? filler),
    positions: Int32Array.from(sights, (sight) => (sight === undefined ? 0 : sight.prompt + sight.age)),
    visible: visibility(sights, columns),
    slot: Int32Array.from(columns.ring.slice(0, 1)),
  }
}

/** Feeds of sampling for the next token of each row, up to `count` of them. */
export function samplingFeeds(
  { temperature, uniform }: Draw,
  rows: readonly (Row | undefined)[],
  count = rows.length,
): Feeds {
  if (temperature === 0) return {}
  const uniforms = new Float32Array(count)
  rows.forEach((row, at) => {
    if (row?.live === true) uniforms[at] = uniform(row.number, row.tokens.length)
  })
  return { inverseTemperature: Float32Array.of(1 / temperature), uniforms }
}
