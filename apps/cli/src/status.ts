/** What a command is doing: in a terminal one line that is written over, elsewhere a line for each new thing. */
export interface Status {
  /** `detail` changes often: in a terminal it is shown, elsewhere not. */
  show(what: string, detail?: string): void
  /** Takes the line away. */
  clear(): void
}

/** Milliseconds between two pictures of the line. */
const interval = 100

export function createStatus(stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>): Status {
  let last = { what: '', at: -Infinity }
  const live = stream.isTTY === true
  return {
    show(what, detail) {
      const now = performance.now()
      const isNew = what !== last.what
      if (!isNew && (!live || now - last.at < interval)) return
      last = { what, at: now }
      if (!live) return void stream.write(`${what}\n`)
      const text = detail === undefined ? what : `${what}: ${detail}`
      stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
    },
    clear() {
      if (live && last.what !== '') stream.write('\r\x1b[2K')
      last = { what: '', at: -Infinity }
    },
  }
}
