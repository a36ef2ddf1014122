import type { Bus } from '@collimate/core'
import { type LawSuite, suiteOf } from '../suite.js'
import type { AnyBus } from './any-bus.js'
import { callLaws } from './call-laws.js'
import { eventLaws } from './event-laws.js'
import { wrapLaws } from './wrap-laws.js'

export interface BusLawsOptions {
  readonly name: string
  /** A new bus at each call. */
  create(): Bus
}

/** What a bus must fulfil: events in one order, one reply per call, wraps that nest, and nothing left behind. */
export function lawsOfBus({ name, create }: BusLawsOptions): LawSuite {
  const open = create as unknown as () => AnyBus
  return suiteOf({ contract: 'bus', subject: name, laws: [...eventLaws(open), ...callLaws(open), ...wrapLaws(open)] })
}
