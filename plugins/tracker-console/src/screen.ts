/** Where lines go: the parts of a stream that are used. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface Screen {
  /** The state of things: in a terminal one line that is written over, elsewhere a line now and then. */
  status(text: string, urgent?: boolean): void
  /** A line that stays, about the run. */
  note(text: string): void
  /** Lines that stay and are results: they go to the standard output. */
  result(text: string): void
  /** Ends the line that is written over. */
  end(): void
}

/** Between rewritings of the line in a terminal, milliseconds. */
const REFRESH = 100

/**
 * `err` carries what is said about the run, `out` its results, so that results can be piped. `interval` is the time
 * between plain status lines in milliseconds; `urgent` ones are always written.
 */
export function createScreen(out: Output, err: Output, interval: number, now: () => number): Screen {
  const live = err.isTTY === true
  let written = -Infinity
  let shown = ''
  const clear = (): void => {
    if (live && shown !== '') err.write('\r\x1b[2K')
    shown = ''
  }
  return {
    status(text, urgent = false) {
      if (!urgent && now() - written < (live ? REFRESH : interval)) return
      written = now()
      if (!live) return void err.write(`${text}\n`)
      clear()
      shown = text.slice(0, Math.max(20, (err.columns ?? 80) - 1))
      err.write(shown)
    },
    note(text) {
      clear()
      err.write(`${text}\n`)
    },
    result(text) {
      clear()
      out.write(`${text}\n`)
    },
    end: clear,
  }
}
