import type { Tracker } from '@collimate/core'
import fc from 'fast-check'
import { law, type Law, require } from '../law.js'
import { anyEvents, type RunEvent, shownEvents, usualRun } from './events.js'
import { watchedBus, type WatchedBus } from './watched-bus.js'

type Create = () => Promise<Tracker>
const source = 'packages/core/src/contracts/tracker.ts'

export function trackerLaws(create: Create): Law[] {
  return [listens(create), leavesNothing(create), survives(create), silentAfterwards(create), closing(create)]
}

/** Turns of the event loop, so that listeners that work on have had theirs. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

/** A tracker that hears events, is detached and closed. */
async function watch(create: Create, events: readonly RunEvent[]): Promise<WatchedBus> {
  const tracker = await create()
  const watched = watchedBus()
  const detach = tracker.attach(watched.bus)
  try {
    for (const { name, payload } of events) watched.emit(name, payload)
    await settled()
  } finally {
    detach()
    await tracker.close()
  }
  return watched
}

function listens(create: Create): Law {
  return law({
    name: 'tracker/only-listens',
    statement: 'A tracker only listens: it serves, wraps, calls and emits nothing, and leaves every payload as it was',
    formula: 'the run with the tracker = the run without it',
    source,
    cost: 3,
    arbitrary: usualRun,
    show: shownEvents,
    holds: async (events) => {
      const before = JSON.stringify(events)
      const { meddling } = await watch(create, events)
      require(meddling.length === 0, `it ${meddling.join(', ')}`)
      require(JSON.stringify(events) === before, 'it changed a payload that others hear too')
    },
  })
}

function leavesNothing(create: Create): Law {
  return law({
    name: 'tracker/leaves-no-listener',
    statement: 'What attach returns takes every listener away, whenever it is called',
    formula: 'attach; events; detach: no listener is left',
    source,
    cost: 3,
    arbitrary: fc.tuple(usualRun, fc.nat(30)).map(([events, count]) => events.slice(0, count)),
    show: shownEvents,
    holds: async (events) => {
      const { listening } = await watch(create, events)
      require(listening.length === 0, `listeners are left: ${listening.join(', ')}`)
    },
  })
}

function survives(create: Create): Law {
  return law({
    name: 'tracker/survives-any-run',
    statement:
      'Events in any order and of any content, NaN, infinity, odd names and control characters included, do not make it fail',
    formula: 'no listener.failed, no rejection',
    source: `${source}: a tracker that fails stops nobody; one that fails tells nothing`,
    cost: 2,
    arbitrary: anyEvents,
    show: shownEvents,
    holds: async (events) => {
      const { failures } = await watch(create, events)
      const own = failures.filter(
        (line) => !events.some(({ name, payload }) => name === 'listener.failed' && isTold(payload, line)),
      )
      require(own.length === 0, `a listener failed: ${own.join('; ')}`)
    },
  })
}

/** Whether a failure is one of those that the run itself told. */
const isTold = (payload: unknown, line: string): boolean => {
  const { event, message } = payload as { event: string; message: string }
  return `${event}: ${message}` === line
}

function silentAfterwards(create: Create): Law {
  return law({
    name: 'tracker/detach-twice',
    statement: 'Detaching twice and events after detaching or closing are harmless',
    formula: 'detach; detach; event; close; event: no listener.failed, no error',
    source,
    cost: 4,
    arbitrary: usualRun,
    show: shownEvents,
    holds: async (events) => {
      const tracker = await create()
      const watched = watchedBus()
      const detach = tracker.attach(watched.bus)
      const tell = (): void => events.forEach(({ name, payload }) => watched.emit(name, payload))
      tell()
      detach()
      detach()
      tell()
      await tracker.close()
      tell()
      await settled()
      require(watched.failures.length === 0, `a listener failed: ${watched.failures.join('; ')}`)
      require(watched.listening.length === 0, `listeners are left: ${watched.listening.join(', ')}`)
    },
  })
}

function closing(create: Create): Law {
  return law({
    name: 'tracker/close',
    statement: 'A tracker can be closed twice, also one that never watched anything',
    formula: 'close; close: no error',
    source,
    cost: 25,
    arbitrary: fc.tuple(usualRun, fc.boolean()),
    show: ([events, attached]) => (attached ? shownEvents(events) : 'never attached'),
    holds: async ([events, attached]) => {
      const tracker = await create()
      if (attached) {
        const watched = watchedBus()
        const detach = tracker.attach(watched.bus)
        for (const { name, payload } of events) watched.emit(name, payload)
        detach()
      }
      await tracker.close()
      await tracker.close()
    },
  })
}
