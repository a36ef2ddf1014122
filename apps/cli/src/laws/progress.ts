import { casesOf } from '@collimate/laws'
import type { Listener } from './check-books.js'

/** Milliseconds between two pictures of the line. */
const interval = 100

/** The one line of a terminal that says which law is being checked; nothing where the stream is no terminal. */
export function progressLine(
  stream: NodeJS.WriteStream,
  runs: number,
): { show: Listener['onCase']; clear: () => void } {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined }
  let shown = -Infinity
  let visible = false
  return {
    show({ suite, book, law, laws, name, cases }) {
      const now = performance.now()
      if (now - shown < interval) return
      shown = now
      visible = true
      const of = suite.laws.find((one) => one.name === name)
      const total = of === undefined ? '' : ` of ${casesOf(of, runs)}`
      const text = `[${law}/${laws}] ${book.name}: ${suite.subject}: ${name}, case ${cases}${total}`
      stream.write(`\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    clear() {
      if (visible) stream.write('\r\x1b[K')
      visible = false
    },
  }
}
