import type { Run } from '@collimate/core'

/** Milliseconds that a run has to free what it holds after the second Ctrl-C. */
const patience = 3000

/**
 * Waits for a run, with a polite Ctrl-C: the first lets it end at the next step boundary and save; a second ends it at
 * once (COLLIMATE_RUN_KILLED), by force where it does not give in: a process cannot leave threads that compute otherwise.
 */
export async function untilDone<Result>({ finished, stop }: Run<Result>): Promise<Result> {
  let asked = 0
  const onSignal = (): void => {
    asked += 1
    if (asked === 1)
      process.stderr.write('\nstopping at the end of this step, then saving (Ctrl-C again: exit at once)\n')
    if (asked === 2) setTimeout(() => process.kill(process.pid, 'SIGKILL'), patience).unref()
    stop()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await finished
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
