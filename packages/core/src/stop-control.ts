import { CollimateError } from './errors.js'

/** How a run is told to end: once at the next step boundary, twice at once. */
export interface StopControl {
  /** Fires at the first stop, with COLLIMATE_RUN_STOPPED as its reason. */
  readonly signal: AbortSignal
  /** Rejects with COLLIMATE_RUN_KILLED at the second stop. */
  readonly killed: Promise<never>
  stop(): void
}

export function createStopControl(): StopControl {
  const controller = new AbortController()
  let kill = (_: CollimateError): void => {}
  const killed = new Promise<never>((_, reject) => (kill = reject))
  // Nobody may be waiting when the second stop comes.
  killed.catch(() => {})
  return {
    signal: controller.signal,
    killed,
    stop: () => {
      if (controller.signal.aborted)
        kill(new CollimateError('COLLIMATE_RUN_KILLED', 'the run was stopped twice and ended at once'))
      else controller.abort(new CollimateError('COLLIMATE_RUN_STOPPED', 'the run was stopped'))
    },
  }
}

/** Whether an error is a plugin's way of giving in to the stop, rather than a failure of its own. */
export function isStop(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false
  if (error instanceof CollimateError) return error.code === 'COLLIMATE_RUN_STOPPED'
  return error instanceof Error && error.name === 'AbortError'
}
