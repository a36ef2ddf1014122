import type { CacheSize } from '../decode-cache.js'
import type { EntryShape } from '../decode-programs.js'
import type { DecodeSession } from '../decode-session.js'

/** The next token after `ids`; `drawn` is the uniform number, 0 where the choice is greedy. */
export type Model = (ids: readonly number[], drawn: number) => { readonly token: number; readonly logProb: number }

/** What a column of a row holds: a token and its position. */
type Cell = { readonly token: number; readonly position: number } | undefined

export interface SimulatedSession extends DecodeSession {
  readonly runs: {
    readonly kind: 'clear' | 'enter' | 'step' | 'move'
    readonly size: CacheSize
    readonly entry?: EntryShape
  }[]
}

/**
 * A session whose cache holds the tokens themselves, and whose model reads what a row sees. It fails where a row that is
 * read sees anything but its own tokens, each once and in a column of its own.
 */
export function simulatedSession(model: Model, contextLength: number): SimulatedSession {
  let size: CacheSize = { rows: 0, capacity: 0 }
  let cache: Cell[][] = []
  const runs: SimulatedSession['runs'] = []
  const empty = ({ rows, capacity }: CacheSize): Cell[][] =>
    Array.from({ length: rows }, () => new Array<Cell>(capacity).fill(undefined))
  const reply = (sampled: readonly { token: number; logProb: number }[]) => ({
    tokens: Int32Array.from(sampled, ({ token }) => token),
    logProbs: Float64Array.from(sampled, ({ logProb }) => logProb),
  })
  const demand = (condition: boolean, what: string): void => {
    if (!condition) throw new Error(`a request with wrong ${what}`)
  }

  return {
    runs,
    get size() {
      return size
    },

    async clear(next) {
      runs.push({ kind: 'clear', size: next })
      size = next
      cache = empty(next)
    },

    async enter(entry, { tokens, last, sources, uniforms, slot }) {
      runs.push({ kind: 'enter', size, entry })
      const { entering, prompts, width, into } = entry
      demand(tokens.length === prompts * width && last.length === entering && sources.length === size.rows, 'sizes')
      demand(slot[0] === 0 && width <= size.capacity && width <= contextLength && entering <= size.rows, 'columns')
      demand(into !== 'own' || sources.every((source, row) => source === row || source === 0), 'sources')
      cache.forEach((row, at) => {
        const source = into === 'own' ? at : sources[at]
        demand(source < prompts && (source >= 0 || into === 'some'), 'source')
        if (source < 0) return
        for (let column = 0; column < width; column++)
          row[column] = { token: tokens[source * width + column], position: column }
      })
      return reply(
        Array.from(last, (end, at) => {
          const start = Math.floor(end / width) * width
          return model([...tokens.subarray(start, end + 1)], uniforms?.[at] ?? 0)
        }),
      )
    },

    async step({ tokens, positions, visible, slot, uniforms }) {
      runs.push({ kind: 'step', size })
      demand(tokens.length === size.rows && visible.length === size.rows * size.capacity, 'sizes')
      demand(slot[0] >= 0 && slot[0] < size.capacity, 'slot')
      const sampled = cache.map((row, at) => {
        const seen = row.filter((_, column) => visible[at * size.capacity + column] === 0)
        // Rows that nobody reads see nothing.
        if (seen.length === 0) return { token: -1, logProb: NaN }
        demand(positions[at] < Math.min(size.capacity, contextLength), 'position')
        const ids = [...seen, { token: tokens[at], position: positions[at] }].sort(
          (a, b) => (a?.position ?? -1) - (b?.position ?? -1),
        )
        if (ids.some((cell, position) => cell?.position !== position))
          throw new Error(`row ${at} sees ${JSON.stringify(ids)}`)
        return model(
          ids.map((cell) => cell?.token ?? -1),
          uniforms?.[at] ?? 0,
        )
      })
      cache.forEach((row, at) => (row[slot[0]] = { token: tokens[at], position: positions[at] }))
      return reply(sampled)
    },

    async move(next, rows, columns) {
      runs.push({ kind: 'move', size: next })
      demand(rows.length === next.rows, 'rows')
      const before = cache
      cache = empty(next)
      cache.forEach((row, at) =>
        row.forEach((_, column) => {
          row[column] = before[rows[at]][next.capacity < size.capacity ? columns[column] : column]
        }),
      )
      demand(next.capacity >= size.capacity || columns.length === next.capacity, 'columns')
      size = next
    },

    async release() {},
  }
}
