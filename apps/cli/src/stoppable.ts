/** Milliseconds that the work has to free what they hold after the second Ctrl-C. */
const patience = 1000

/** Runs work that ends early on Ctrl-C, `after` what it does now; a second Ctrl-C ends the process, by force where a computation does not give in. */
export async function stoppable<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  after = 'this case',
): Promise<Result> {
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), patience).unref()
      process.exit(130)
    }
    process.stderr.write(`\nstopping after ${after} (Ctrl-C again: exit at once)\n`)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await work(stop.signal)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
