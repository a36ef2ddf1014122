import { type Bus, createBus } from '@collimate/core'
import { describe, expect, test } from 'vitest'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import type { AnyBus } from './any-bus.js'
import { lawsOfBus } from './index.js'

testLaws(lawsOfBus({ name: 'core', create: createBus }), { test })

/** Core's bus with something changed. */
const changed = (change: (bus: AnyBus) => Partial<AnyBus>) => () => {
  const bus = createBus() as unknown as AnyBus
  return { ...bus, ...change(bus) } as unknown as Bus
}

const wrong: Record<string, { law: string; create: () => Bus }> = {
  'events that are emitted at once, in the middle of another': {
    law: 'bus/one-order',
    create: changed(() => {
      const listeners: ((name: string, payload: unknown) => unknown)[] = []
      const add = (listener: (name: string, payload: unknown) => unknown) => {
        listeners.push(listener)
        return () => void listeners.splice(listeners.indexOf(listener), 1)
      }
      return {
        emit: (name, payload) => listeners.slice().forEach((listener) => listener(name, payload)),
        on: (event, listener) => add((name, payload) => (name === event ? listener(payload) : undefined)),
        onAny: add,
      }
    }),
  },
  'a listener that throws into emit': {
    law: 'bus/failing-listener',
    create: changed((bus) => {
      let thrown: unknown
      return {
        on: (name, listener) =>
          bus.on(name, (payload) => {
            if (thrown !== undefined) return
            try {
              listener(payload)
            } catch (error) {
              thrown = error
            }
          }),
      }
    }),
  },
  'rejections of listeners that nobody hears of': {
    law: 'bus/failing-later',
    create: changed((bus) => ({
      on: (name, listener) =>
        bus.on(name, (payload) => {
          const result = listener(payload)
          if (result instanceof Promise) result.catch(() => undefined)
        }),
    })),
  },
  'a disposer that does nothing for listeners of every event': {
    law: 'bus/no-listener-left',
    create: changed((bus) => ({
      onAny: (listener) => {
        bus.onAny(listener)
        return () => undefined
      },
    })),
  },
  'listeners kept as a set': {
    law: 'bus/added-twice',
    create: changed((bus) => {
      const known = new Map<unknown, () => void>()
      return {
        on: (name, listener) => {
          const dispose = known.get(listener) ?? bus.on(name, listener)
          known.set(listener, dispose)
          return dispose
        },
      }
    }),
  },
  'one reply for calls that are made together': {
    law: 'bus/one-reply-per-call',
    create: changed((bus) => {
      const flying = new Map<string, Promise<unknown>>()
      return {
        call: (name, request) => {
          const reply = flying.get(name) ?? bus.call(name, request).finally(() => flying.delete(name))
          flying.set(name, reply)
          return reply
        },
      }
    }),
  },
  'errors that are wrapped in others': {
    law: 'bus/errors-travel',
    create: changed((bus) => ({
      call: (name, request) =>
        bus.call(name, request).catch((cause: unknown) => {
          throw new Error('the call failed', { cause })
        }),
    })),
  },
  'an unserved call without help': {
    law: 'bus/unserved-call',
    create: changed((bus) => ({
      call: (name, request) =>
        bus.call(name, request).catch((error: Error & { hint?: string }) => {
          if ('hint' in error) Object.defineProperty(error, 'hint', { value: undefined })
          throw error
        }),
    })),
  },
  'a second server in place of the first': {
    law: 'bus/served-twice',
    create: changed((bus) => {
      let end = (): void => undefined
      return {
        serve: (name, handler) => {
          end()
          end = bus.serve(name, handler)
          return end
        },
      }
    }),
  },
  'calls that stay pending': {
    law: 'bus/pending',
    create: changed((bus) => {
      const made: { id: number; call: string; seconds: number }[] = []
      return {
        call: (name, request) => {
          made.push({ id: made.length, call: name, seconds: 0 })
          return bus.call(name, request)
        },
        pending: () => made,
      }
    }),
  },
  'calls that nobody can watch': {
    law: 'bus/calls-are-events',
    create: changed((bus) => ({
      on: (name, listener) => (name === 'call.finished' ? () => undefined : bus.on(name, listener)),
    })),
  },
  'wraps of which the first is the outermost': {
    law: 'bus/wraps-nest',
    create: changed((bus) => {
      const wraps: { wrapper: Parameters<AnyBus['wrap']>[1]; dispose: () => void }[] = []
      return {
        wrap: (name, wrapper) => {
          for (const { dispose } of wraps) dispose()
          const own = { wrapper, dispose: (): void => undefined }
          wraps.unshift(own)
          const all = () => wraps.forEach((one) => (one.dispose = bus.wrap(name, one.wrapper)))
          all()
          return () => {
            for (const { dispose } of wraps) dispose()
            wraps.splice(wraps.indexOf(own), 1)
            all()
          }
        },
      }
    }),
  },
  'wraps that cannot be disposed': {
    law: 'bus/wraps-may-answer',
    create: changed((bus) => ({
      wrap: (name, wrapper) => {
        bus.wrap(name, wrapper)
        return () => undefined
      },
    })),
  },
}

describe('wrong buses and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (name, { law, create }) => {
    const results = await checkSuite(lawsOfBus({ name, create }), { runs: 60, seed: 5 })
    const failed = results.filter(({ status }) => status === 'fails')
    expect(failed.map((result) => result.law.name)).toContain(law)
    for (const { message } of failed) expect(message).toMatch(/counterexample .+\n {2}found .+\n {2}replay/)
  })
})
