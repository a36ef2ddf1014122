import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import fc from 'fast-check'
import type { Bus, CollimateCalls } from './bus.js'
import { createBus } from './create-bus.js'

declare module './bus.js' {
  interface CollimateEvents {
    'test.counted': { count: number }
    'test.noted': { text: string }
  }
  interface CollimateCalls {
    'test.double': { request: number; reply: number }
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('events', () => {
  test('law: listeners hear every event in the order of emission, also those emitted by listeners', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 20 }), (counts) => {
        const bus = createBus()
        const heard: number[][] = [[], [], []]
        bus.on('test.counted', ({ count }) => {
          heard[0].push(count)
          if (count > 0) bus.emit('test.counted', { count: count - 1 })
        })
        bus.on('test.counted', ({ count }) => void heard[1].push(count))
        bus.onAny((_name, payload) => void heard[2].push((payload as { count: number }).count))
        for (const count of counts) bus.emit('test.counted', { count })
        expect(heard[1]).toEqual(heard[0])
        expect(heard[2]).toEqual(heard[0])
        expect(heard[0].length).toBe(counts.reduce((sum, count) => sum + count + 1, 0))
      }),
    )
  })

  test('a listener that throws stops nobody and is told as listener.failed', () => {
    const bus = createBus()
    const failures: string[] = []
    const after = vi.fn()
    bus.on('listener.failed', ({ event, message }) => void failures.push(`${event}: ${message}`))
    bus.on('listener.failed', () => {
      throw new Error('a failing listener of failures ends here')
    })
    bus.on('test.counted', () => {
      throw new Error('broken')
    })
    bus.on('test.counted', after)
    bus.emit('test.counted', { count: 1 })
    expect(after).toHaveBeenCalledTimes(1)
    expect(failures).toEqual(['test.counted: broken'])
  })

  test('a listener whose promise rejects is told as listener.failed', async () => {
    const bus = createBus()
    const failed = vi.fn()
    bus.on('listener.failed', failed)
    // The type says void, but nothing stops a listener from being async.
    bus.on('test.counted', (async () => Promise.reject(new Error('late'))) as () => void)
    bus.emit('test.counted', { count: 1 })
    await settled()
    expect(failed).toHaveBeenCalledWith({ event: 'test.counted', message: 'late' })
  })

  test('law: after its disposer a listener hears nothing, whatever the order of disposal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(7)), (n, disposals) => {
        const bus = createBus()
        const calls = new Array<number>(n).fill(0)
        const listener = (i: number) => () => void calls[i]++
        const disposers = calls.map((_, i) => bus.on('test.counted', listener(i)))
        const gone = new Set<number>()
        for (const i of disposals.filter((index) => index < n)) {
          disposers[i]()
          gone.add(i)
        }
        bus.emit('test.counted', { count: 0 })
        expect(calls).toEqual(calls.map((_, i) => (gone.has(i) ? 0 : 1)))
      }),
    )
  })

  test('disposers work during emit: a listener that was taken away by an earlier one is silent', () => {
    const bus = createBus()
    const second = vi.fn()
    bus.on('test.counted', () => dispose())
    const dispose = bus.on('test.counted', second)
    bus.emit('test.counted', { count: 1 })
    expect(second).not.toHaveBeenCalled()
  })

  test('the same function listens twice when it was added twice', () => {
    const bus = createBus()
    const listener = vi.fn()
    const dispose = bus.on('test.counted', listener)
    bus.on('test.counted', listener)
    bus.emit('test.counted', { count: 1 })
    dispose()
    dispose()
    bus.emit('test.counted', { count: 1 })
    expect(listener).toHaveBeenCalledTimes(3)
  })
})

describe('calls', () => {
  test('law: one reply per call, to its caller, however replies overtake each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 20 }), async (delays) => {
        const bus = createBus()
        let served = 0
        bus.serve('test.double', async (request) => {
          served++
          for (let i = 0; i < delays[request]; i++) await Promise.resolve()
          return 2 * request
        })
        const replies = await Promise.all(delays.map((_, i) => bus.call('test.double', i)))
        expect(replies).toEqual(delays.map((_, i) => 2 * i))
        expect(served).toBe(delays.length)
        expect(bus.pending()).toEqual([])
      }),
    )
  })

  test('errors travel to the caller as they are, thrown or rejected', async () => {
    const bus = createBus()
    const error = new Error('no')
    const dispose = bus.serve('test.double', () => {
      throw error
    })
    await expect(bus.call('test.double', 1)).rejects.toBe(error)
    dispose()
    bus.serve('test.double', () => Promise.reject(error))
    await expect(bus.call('test.double', 1)).rejects.toBe(error)
    expect(bus.pending()).toEqual([])
  })

  test('a call that nobody serves is refused with what is served', async () => {
    const bus = createBus()
    await expect(bus.call('reward.score', { rollouts: [] })).rejects.toMatchObject({
      code: 'COLLIMATE_CALL_UNSERVED',
      hint: expect.stringContaining('plugin of kind "reward"') as string,
    })
    bus.serve('reward.close', async () => {})
    await expect(bus.call('reward.score', { rollouts: [] })).rejects.toMatchObject({
      hint: expect.stringContaining('reward.close') as string,
    })
  })

  test('a second server is refused until the first has gone; a stale disposer removes nobody else', async () => {
    const bus = createBus()
    const first = bus.serve('test.double', async () => 1)
    expect(() => bus.serve('test.double', async () => 2)).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_CALL_SERVED_TWICE' }),
    )
    first()
    bus.serve('test.double', async () => 2)
    first()
    expect(await bus.call('test.double', 0)).toBe(2)
  })

  test('pending tells the calls that wait', async () => {
    const bus = createBus()
    let answer = (_: number) => {}
    bus.serve('test.double', () => new Promise((resolve) => (answer = resolve)))
    const reply = bus.call('test.double', 1)
    expect(bus.pending()).toMatchObject([{ call: 'test.double' }])
    answer(2)
    await reply
    expect(bus.pending()).toEqual([])
  })

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
})

describe('wraps', () => {
  test('law: wraps nest, the last one outermost, and disposing one leaves the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 6 }), async (keep) => {
        const bus = createBus()
        const trace: string[] = []
        bus.serve('test.double', async (request) => {
          trace.push('server')
          return 2 * request
        })
        const disposers = keep.map((_, i) =>
          bus.wrap('test.double', async (request, next) => {
            trace.push(`in ${i}`)
            const reply = await next(request + 1)
            trace.push(`out ${i}`)
            return reply
          }),
        )
        disposers.forEach((dispose, i) => (keep[i] ? undefined : dispose()))
        const kept = keep.flatMap((kept, i) => (kept ? [i] : []))
        expect(await bus.call('test.double', 0)).toBe(2 * kept.length)
        expect(trace).toEqual([...kept.toReversed().map((i) => `in ${i}`), 'server', ...kept.map((i) => `out ${i}`)])
      }),
    )
  })

  test('a wrap may answer by itself, also where nobody serves, and its errors travel', async () => {
    const bus = createBus()
    const dispose = bus.wrap('test.double', async () => 42)
    expect(await bus.call('test.double', 1)).toBe(42)
    dispose()
    bus.wrap('test.double', () => {
      throw new Error('wrapped')
    })
    await expect(bus.call('test.double', 1)).rejects.toThrow('wrapped')
  })
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
