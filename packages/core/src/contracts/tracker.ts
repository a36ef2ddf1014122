import type { Bus } from '../bus.js'

/** Watches a run: console, files, dashboards. It only listens; a tracker that fails stops nobody. */
export interface Tracker {
  /** Called once before the run; returns what ends the watching. */
  attach(bus: Bus): () => void
  /** Flushes and frees; called once after the run. */
  close(): Promise<void>
}
