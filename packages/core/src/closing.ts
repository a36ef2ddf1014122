import { CollimateError } from './errors.js'

/** What must be closed at the end of a run, in reverse order. */
export interface Closing {
  /** Adds something to close. After the end it is closed at once, and the caller told that the run is over. */
  add(close: () => unknown): Promise<void>
  /** Closes everything, whatever fails on the way; gives the failures. */
  close(): Promise<readonly unknown[]>
}

export function createClosing(): Closing {
  const closers: (() => unknown)[] = []
  let closed = false
  return {
    async add(close) {
      if (!closed) return void closers.push(close)
      await close()
      throw new CollimateError('COLLIMATE_RUN_KILLED', 'the run ended while it was starting')
    },
    async close() {
      closed = true
      const failures: unknown[] = []
      for (let close = closers.pop(); close; close = closers.pop())
        try {
          await close()
        } catch (error) {
          failures.push(error)
        }
      return failures
    },
  }
}
