import type { Row } from './decode-row.js'

/** Rows that wait for a place. */
export interface Waiting {
  readonly count: number
  /** Tokens of the longest that is read. */
  readonly longest: number
  /** Most tokens that one of them may get. */
  readonly most: number
  /** Takes the next ones; those with equal prompts are neighbours. */
  take(count: number): readonly Row[]
}

/**
 * Longest first: rows that enter together need little padding, columns for prompts become free as time goes on, and if the
 * memory does not suffice, it shows at once.
 */
export function waitingRows(rows: readonly Row[]): Waiting {
  const order = [...rows].sort((a, b) => b.ids.length - a.ids.length || a.content - b.content || a.number - b.number)
  // The most that a row or one behind it may get.
  const most = order.map(({ allowance, before }) => allowance - before)
  for (let at = order.length - 2; at >= 0; at--) most[at] = Math.max(most[at], most[at + 1])
  let next = 0
  return {
    get count() {
      return order.length - next
    },
    get longest() {
      return order.at(next)?.ids.length ?? 0
    },
    get most() {
      return most.at(next) ?? 0
    },
    take(count) {
      const taken = order.slice(next, next + count)
      next += taken.length
      return taken
    },
  }
}
