import type { Tracker } from '@collimate/core'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { trackerLaws } from './tracker-laws.js'

export interface TrackerLawsOptions {
  readonly name: string
  /** A new tracker at each call, that writes to where nobody is disturbed. */
  create(): Tracker | Promise<Tracker>
  readonly claims?: Claims
  /** Frees what the trackers wrote. */
  close?(): Promise<void>
}

/** What a tracker must fulfil: it only listens, to any run, and leaves nothing behind. */
export function lawsOfTracker({ name, create, claims = {}, close }: TrackerLawsOptions): LawSuite {
  return suiteOf({
    contract: 'tracker',
    subject: name,
    claims,
    laws: trackerLaws(async () => create()),
    ...(close && { close }),
  })
}
