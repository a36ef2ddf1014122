import type { Run } from '@collimate/core'
import { exitStatus } from './failure.js'

/**
 * Waits for a run, with a polite Ctrl-C: the first lets it end at the next step boundary and save, a second ends the
 * process at once.
 */
export async function untilDone<Result>({ finished, stop }: Run<Result>): Promise<Result> {
  let asked = false
  const onSignal = (): void => {
    if (asked) process.exit(exitStatus.interrupted)
    asked = true
    process.stderr.write('\nstopping at the end of this step, then saving (Ctrl-C again: exit at once)\n')
    stop()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await finished
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
