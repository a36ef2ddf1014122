import fc from 'fast-check'
import { law, type Law, require } from '../law.js'
import { sameList, settled } from './lists.js'
import type { AnyBus } from './any-bus.js'

const source = 'packages/core/src/bus.ts: Bus.emit, Bus.on, Bus.onAny'

/** Laws of events. */
export function eventLaws(create: () => AnyBus): Law[] {
  return [
    oneOrder(create),
    failing(create),
    failingLate(create),
    disposed(create),
    duringEmit(create),
    addedTwice(create),
  ]
}

function oneOrder(create: () => AnyBus): Law {
  return law({
    name: 'bus/one-order',
    statement: 'Every listener hears every event, in the order of emission, those that listeners emit included',
    formula: 'heard by one = heard by another = heard by onAny, for nested emissions too',
    source,
    arbitrary: fc.array(fc.nat(5), { maxLength: 20 }),
    show: (counts) => `events counted ${counts.join(', ')}, each of which emits the next lower`,
    holds: (counts) => {
      const bus = create()
      const heard: number[][] = [[], [], []]
      bus.on('law.happened', (payload) => {
        const count = Number(payload)
        heard[0].push(count)
        if (count > 0) bus.emit('law.happened', count - 1)
      })
      bus.on('law.happened', (payload) => void heard[1].push(Number(payload)))
      bus.onAny((_name, payload) => void heard[2].push(Number(payload)))
      for (const count of counts) bus.emit('law.happened', count)
      const expected = counts.flatMap((count) => Array.from({ length: count + 1 }, (_, i) => count - i))
      sameList('heard by the listener that emits', heard[0], expected)
      sameList('heard by the one beside it', heard[1], expected)
      sameList('heard by onAny', heard[2], expected)
    },
  })
}

function failing(create: () => AnyBus): Law {
  return law({
    name: 'bus/failing-listener',
    statement:
      'A listener that throws stops nobody and is told as listener.failed; a listener of failures that throws ends there',
    formula: 'throw in listener i: every other listener hears the event, listener.failed is {event, message} once',
    source,
    arbitrary: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    show: (throwing) => `listeners: ${throwing.map((yes) => (yes ? 'throws' : 'hears')).join(', ')}`,
    holds: (throwing) => {
      const bus = create()
      const heard: number[] = []
      const told: string[] = []
      bus.on('listener.failed', () => {
        throw new Error('a failing listener of failures')
      })
      bus.on('listener.failed', (payload) => {
        const { event, message } = payload as { event: string; message: string }
        told.push(`${event}: ${message}`)
      })
      throwing.forEach((yes, i) =>
        bus.on('law.happened', () => {
          heard.push(i)
          if (yes) throw new Error(`listener ${i}`)
        }),
      )
      bus.emit('law.happened', 1)
      sameList(
        'listeners that heard',
        heard,
        throwing.map((_, i) => i),
      )
      sameList(
        'failures told',
        told,
        throwing.flatMap((yes, i) => (yes ? [`law.happened: listener ${i}`] : [])),
      )
    },
  })
}

function failingLate(create: () => AnyBus): Law {
  return law({
    name: 'bus/failing-later',
    statement: 'A listener whose promise rejects is told as listener.failed too',
    formula: 'on(async: reject(e)): listener.failed {event, message of e}',
    source,
    arbitrary: fc.nat(3),
    show: (turns) => `a listener that rejects after ${turns} turns`,
    holds: async (turns) => {
      const bus = create()
      const told: string[] = []
      bus.on('listener.failed', (payload) => void told.push((payload as { message: string }).message))
      const rejecting = async (): Promise<void> => {
        for (let i = 0; i < turns; i++) await Promise.resolve()
        throw new Error('late')
      }
      bus.on('law.happened', () => {
        const late = rejecting()
        // A bus that drops the promise breaks this law, not the process.
        late.catch(() => undefined)
        return late
      })
      bus.emit('law.happened', 1)
      await settled()
      sameList('failures told', told, ['late'])
    },
  })
}

function disposed(create: () => AnyBus): Law {
  return law({
    name: 'bus/no-listener-left',
    statement:
      'After its disposer a listener hears nothing, whatever the order of disposal, and no other listener goes with it',
    formula: 'dispose(i): listener i is silent, all others hear; disposing twice changes nothing',
    source,
    arbitrary: fc.record({
      any: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
      order: fc.array(fc.nat(7), { maxLength: 12 }),
    }),
    show: ({ any, order }) =>
      `${any.length} listeners (${any.filter(Boolean).length} of all events), disposed: ${order.join(', ')}`,
    holds: ({ any, order }) => {
      const bus = create()
      const calls = any.map(() => 0)
      const disposers = any.map((all, i) =>
        all ? bus.onAny(() => void calls[i]++) : bus.on('law.happened', () => void calls[i]++),
      )
      for (const i of order) disposers[i]?.()
      bus.emit('law.happened', 0)
      sameList(
        'times that each listener heard',
        calls,
        calls.map((_, i) => (order.includes(i) ? 0 : 1)),
      )
    },
  })
}

function duringEmit(create: () => AnyBus): Law {
  return law({
    name: 'bus/taken-away-during-an-event',
    statement: 'A listener that an earlier one takes away during an event does not hear that event, and the others do',
    formula: 'listener i disposes j > i: all but j hear',
    source,
    arbitrary: fc
      .integer({ min: 2, max: 6 })
      .chain((n) => fc.record({ n: fc.constant(n), i: fc.nat(n - 2) }))
      .chain(({ n, i }) =>
        fc.record({ n: fc.constant(n), i: fc.constant(i), j: fc.integer({ min: i + 1, max: n - 1 }) }),
      ),
    show: ({ n, i, j }) => `${n} listeners, number ${i} takes away number ${j}`,
    holds: ({ n, i, j }) => {
      const bus = create()
      const heard: number[] = []
      const disposers: (() => void)[] = []
      for (let k = 0; k < n; k++)
        disposers.push(
          bus.on('law.happened', () => {
            heard.push(k)
            if (k === i) disposers[j]()
          }),
        )
      bus.emit('law.happened', 0)
      sameList(
        'listeners that heard',
        heard,
        Array.from({ length: n }, (_, k) => k).filter((k) => k !== j),
      )
    },
  })
}

function addedTwice(create: () => AnyBus): Law {
  return law({
    name: 'bus/added-twice',
    statement: 'A function that was added several times hears as often, and each disposer takes one away',
    formula: 'on(f) n times, m disposed: f hears n − m times',
    source,
    arbitrary: fc.record({ times: fc.integer({ min: 1, max: 5 }), gone: fc.nat(5) }),
    show: ({ times, gone }) => `added ${times} times, the first ${Math.min(times, gone)} disposed, each twice`,
    holds: ({ times, gone }) => {
      const bus = create()
      let heard = 0
      const listener = (): void => void heard++
      const disposers = Array.from({ length: times }, () => bus.on('law.happened', listener))
      for (const dispose of disposers.slice(0, gone)) {
        dispose()
        dispose()
      }
      bus.emit('law.happened', 0)
      const expected = Math.max(0, times - gone)
      require(heard === expected, `it hears ${heard} times, the law says ${expected}`)
    },
  })
}
