import type { TensorData } from '@collimate/core'
import type { CacheSize } from './decode-cache.js'
import { afterStep, emptyColumns, inLarger, inSmaller, withPrompt } from './decode-columns.js'
import { entryOf, samplingFeeds, stepFeeds } from './decode-feeds.js'
import type { Draw } from './decode-feeds.js'
import { ageOf, append, readAgain, startRows } from './decode-row.js'
import type { Row } from './decode-row.js'
import type { DecodeSession } from './decode-session.js'
import { waitingRows } from './decode-waiting.js'
import { entering, filled, fittingSize, programRows, savingOf, worthReadingAgain } from './schedule.js'

export interface DecodeRequest extends Draw {
  readonly prompts: readonly Int32Array[]
  /** Most new tokens of each prompt. */
  readonly allowances: readonly number[]
  readonly stopTokens: ReadonlySet<number>
  /** Rows that are decoded together, at most. */
  readonly batchSize: number
  readonly contextLength: number
  /** Columns for decoded tokens in the first cache. */
  readonly firstColumns: number
  /** A cache of another size costs about as much as this many steps: rows are copied, programs are compiled. */
  readonly stepsPerMove: number
}

export type Completion = Pick<Row, 'tokens' | 'logProbs' | 'endedBy'>

/**
 * Completes prompts, `batchSize` at a time: where a completion has ended, a prompt that waits takes its place. Entering
 * reads the prompt and samples its first token; every step samples one token for each living row.
 *
 * The cache holds what the rows need (see `Columns`). When its oldest row has filled it, either that row gives up its place
 * and is read again at the end, or all move into a larger cache. When nothing waits and few live, or the oldest have ended,
 * they move into a smaller one.
 */
export async function decode(session: DecodeSession, request: DecodeRequest): Promise<readonly Completion[]> {
  const { prompts, allowances, stopTokens, batchSize, contextLength, firstColumns, stepsPerMove } = request
  const completions: Completion[] = []
  let waiting = waitingRows(startRows(prompts, allowances))
  let later: readonly Row[] = []
  let rows: readonly (Row | undefined)[] = []
  let columns = emptyColumns(0, 0)
  // Free rows since the last entry, savings since the last move, tokens that were decoded and tokens that were read again.
  const sums = { idle: 0, missed: 0, decoded: 0, read: 0 }

  const living = (): readonly Row[] => rows.filter((row) => row?.live === true) as readonly Row[]
  const longest = (live: readonly Row[]): number => greatest(live, ({ ids }) => ids.length, waiting.longest)
  const oldest = (live: readonly Row[]): number => greatest(live, ageOf, 0)

  /** The size that those who live and those who wait need from now on. */
  const neededSize = (live: readonly Row[]): CacheSize =>
    fittingSize({
      rows: programRows(live.length + waiting.count, batchSize),
      prompt: longest(live),
      age: oldest(live),
      most: greatest(live, ({ allowance, before }) => allowance - before, waiting.most) - 1,
      first: firstColumns,
    })

  function accept(given: readonly (Row | undefined)[], { tokens, logProbs }: Record<string, TensorData>): void {
    given.forEach((row, at) => {
      if (row?.live !== true) return
      append(row, tokens[at], logProbs[at], stopTokens)
      if (!row.live) completions[row.number] = row
    })
  }

  /** Makes an empty cache for those who wait, unless the present one will do. */
  async function startAnew(): Promise<void> {
    const size = neededSize([])
    const holds = session.size.rows === size.rows && session.size.capacity >= size.capacity
    if (!holds || savingOf(session.size, size) > 0) await session.clear(size)
    columns = emptyColumns(session.size.capacity, waiting.longest)
    rows = new Array<undefined>(session.size.rows).fill(undefined)
  }

  async function enter(count: number, keep: boolean): Promise<void> {
    if (!keep) await startAnew()
    const started = waiting.take(count)
    const places = rows.flatMap((row, at) => (row?.live === true ? [] : [at])).slice(0, count)
    const { entry, feeds } = entryOf(started, { rows: rows.length, places, keep }, contextLength)
    accept(started, await session.enter(entry, { ...feeds, ...samplingFeeds(request, started, entry.entering) }))
    const next = [...rows]
    started.forEach((row, at) => (next[places[at]] = row))
    rows = next
    sums.idle = 0
  }

  async function move(live: readonly Row[], size: CacheSize): Promise<void> {
    const need = { prompt: longest(live), age: oldest(live), capacity: size.capacity }
    const { columns: next, taken } =
      size.capacity < session.size.capacity
        ? inSmaller(columns, need)
        : { columns: inLarger(columns, size.capacity), taken: new Int32Array(0) }
    const places = live.map((row) => rows.indexOf(row))
    await session.move(size, Int32Array.from(filled(places, size.rows)), taken)
    rows = [...live, ...new Array<undefined>(size.rows - live.length).fill(undefined)]
    columns = next
    sums.missed = 0
  }

  /** Whether the rows that have filled the cache have left it, to be read again later. */
  function leave(live: readonly Row[], larger: CacheSize): boolean {
    // Where nobody else needs the cache, it may as well grow.
    if (waiting.count + later.length === 0) return false
    const full = live.filter((row) => ageOf(row) === columns.ring.length).map(readAgain)
    const read = full.reduce((sum, { ids }) => sum + ids.length, sums.read)
    if (!worthReadingAgain({ decoded: sums.decoded, read, size: session.size, larger })) return false
    sums.read = read
    later = [...later, ...full]
    rows = rows.map((row) => (full.some(({ number }) => number === row?.number) ? undefined : row))
    return true
  }

  /** Sees to it that the next step has a column to write, in a cache that is not much too large. */
  async function makeRoom(live: readonly Row[]): Promise<void> {
    const prompt = longest(live)
    if (prompt < columns.prompt) columns = withPrompt(columns, prompt)
    const size = neededSize(live)
    sums.missed += savingOf(session.size, size)
    const full = oldest(live) === columns.ring.length
    if (full && leave(live, size)) return
    if (full || sums.missed >= stepsPerMove) await move(live, size)
  }

  async function step(): Promise<void> {
    const live = living().length
    if (live === 0) return
    accept(rows, await session.step({ ...stepFeeds(rows, columns, prompts[0][0]), ...samplingFeeds(request, rows) }))
    columns = afterStep(columns)
    sums.decoded += live
    sums.idle += rows.length - live
  }

  for (;;) {
    const live = living()
    if (live.length + waiting.count === 0) {
      if (later.length === 0) return completions
      waiting = waitingRows(later)
      later = []
    }
    const most = live.length > 0 ? rows.length : batchSize
    const count = entering({ rows: most, live: live.length, waiting: waiting.count, idle: sums.idle })
    if (count > 0) await enter(count, live.length > 0)
    else {
      await makeRoom(live)
      await step()
    }
  }
}

const greatest = (rows: readonly Row[], of: (row: Row) => number, least: number): number =>
  rows.reduce((most, row) => Math.max(most, of(row)), least)
