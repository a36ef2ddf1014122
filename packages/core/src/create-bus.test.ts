import { expect, expectTypeOf, test } from 'vitest'
import type { Bus, CollimateCalls } from './bus.js'
import { createBus } from './create-bus.js'

declare module './bus.js' {
  interface CollimateEvents {
    'test.counted': { count: number }
  }
  interface CollimateCalls {
    'test.double': { request: number; reply: number }
  }
}

// What every bus must do is in the laws of @collimate/laws, which are checked on this one; here is what only types can say,
// and the order of what a watcher sees.

test('calls and replies are events for whoever listens', async () => {
  const bus = createBus()
  const seen: unknown[] = []
  bus.onAny((name, payload) => void seen.push([name, payload]))
  bus.serve('test.double', async (request) => {
    if (request < 0) throw new Error('negative')
    return 2 * request
  })
  await bus.call('test.double', 2)
  await bus.call('test.double', -1).catch(() => {})
  expect(seen).toMatchObject([
    ['call.started', { id: 1, call: 'test.double', request: 2 }],
    ['call.finished', { id: 1, reply: 4 }],
    ['call.started', { id: 2, request: -1 }],
    ['call.finished', { id: 2, error: { message: 'negative' } }],
  ])
})

test('types: names tie payloads, requests and replies together', () => {
  const use = (bus: Bus): void => {
    expectTypeOf(bus.call('test.double', 1)).resolves.toEqualTypeOf<number>()
    expectTypeOf<CollimateCalls['reward.score']['reply']>().toHaveProperty('scores')
    // @ts-expect-error a wrong payload
    bus.emit('test.counted', { count: 'one' })
    // @ts-expect-error an unknown event
    bus.emit('test.unknown', {})
    // @ts-expect-error `reference` is not a call
    void bus.call('policy.reference', undefined)
  }
  expect(use).toBeTypeOf('function')
})
