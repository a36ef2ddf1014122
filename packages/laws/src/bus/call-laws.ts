import fc from 'fast-check'
import { law, type Law, require, Violation } from '../law.js'
import { refused } from '../refused.js'
import { sameList } from './lists.js'
import type { AnyBus } from './any-bus.js'

const source = 'packages/core/src/bus.ts: Bus.call, Bus.serve, Bus.pending'

/** Laws of calls. */
export function callLaws(create: () => AnyBus): Law[] {
  return [
    oneReply(create),
    errorsTravel(create),
    unserved(create),
    servedTwice(create),
    pending(create),
    calledEvents(create),
  ]
}

function oneReply(create: () => AnyBus): Law {
  return law({
    name: 'bus/one-reply-per-call',
    statement: 'Each call is served once and gets its own reply, however replies overtake each other',
    formula: 'reply(call i) = server(request i); the server is asked exactly n times',
    source,
    arbitrary: fc.array(fc.nat(4), { maxLength: 20 }),
    show: (delays) => `calls answered after ${delays.join(', ')} turns`,
    holds: async (delays) => {
      const bus = create()
      const asked: number[] = []
      bus.serve('law.asked', async (request) => {
        const i = Number(request)
        asked.push(i)
        for (let turn = 0; turn < delays[i]; turn++) await Promise.resolve()
        return 2 * i
      })
      const replies = await Promise.all(delays.map((_, i) => bus.call('law.asked', i)))
      const numbers = delays.map((_, i) => i)
      sameList(
        'replies',
        replies,
        numbers.map((i) => 2 * i),
      )
      sameList(
        'requests that the server saw',
        asked.toSorted((a, b) => a - b),
        numbers,
      )
    },
  })
}

function errorsTravel(create: () => AnyBus): Law {
  return law({
    name: 'bus/errors-travel',
    statement: 'What a server throws or rejects with reaches the caller as the same object, and other calls go on',
    formula: 'server throws e: call rejects with e itself, whatever e is',
    source,
    arbitrary: fc.array(fc.constantFrom('reply', 'throw', 'reject', 'throw a string', 'throw undefined'), {
      minLength: 1,
      maxLength: 8,
    }),
    show: (ways) => `servers that ${ways.join(', ')}`,
    holds: async (ways) => {
      const bus = create()
      const errors = ways.map((way, i) =>
        way === 'throw undefined' ? undefined : way === 'throw a string' ? `text ${i}` : new Error(`error ${i}`),
      )
      bus.serve('law.asked', (request) => {
        const i = Number(request)
        if (ways[i] === 'reply') return Promise.resolve(i)
        if (ways[i] === 'reject') return Promise.reject(errors[i])
        throw errors[i]
      })
      const outcomes = ways.map((_, i) =>
        bus.call('law.asked', i).then(
          (reply) => ({ reply }),
          (error: unknown) => ({ error }),
        ),
      )
      for (const [i, outcome] of (await Promise.all(outcomes)).entries()) {
        const way = `the call whose server is to ${ways[i]}`
        if (ways[i] === 'reply')
          require('reply' in outcome && outcome.reply === i, `${way} gets ${JSON.stringify(outcome)}`)
        else if (!('error' in outcome)) throw new Violation(`${way} gets a reply`)
        else require(Object.is(outcome.error, errors[i]), `${way} gets another error: ${String(outcome.error)}`)
      }
    },
  })
}

const roles = {
  policy: 'policy',
  reference: 'policy',
  reward: 'reward',
  estimator: 'estimator',
  backend: 'backend',
} as const

function unserved(create: () => AnyBus): Law {
  return law({
    name: 'bus/unserved-call',
    statement:
      'A call that nobody serves is refused with what could serve it: the verbs served under its role, or the kind of plugin',
    formula: 'COLLIMATE_CALL_UNSERVED; its hint names the served verbs of the role, or kind "..."',
    source,
    arbitrary: fc.record({
      role: fc.constantFrom(...(Object.keys(roles) as (keyof typeof roles)[])),
      served: fc.subarray(['close', 'describe', 'other']),
    }),
    show: ({ role, served }) =>
      `${role}.nosuch, with ${served.map((verb) => `${role}.${verb}`).join(', ') || 'nothing'} served`,
    holds: async ({ role, served }) => {
      const bus = create()
      for (const verb of served) bus.serve(`${role}.${verb}`, () => undefined)
      const call = bus.call(`${role}.nosuch`, {})
      await refused('an unserved call', () => call, 'COLLIMATE_CALL_UNSERVED')
      const { hint } = await call.then(
        () => ({ hint: undefined }),
        (error: { hint?: unknown }) => error,
      )
      const names = served.length > 0 ? served.map((verb) => `${role}.${verb}`) : [`"${roles[role]}"`]
      for (const name of names) require(String(hint).includes(name), `the hint does not name ${name}: ${String(hint)}`)
    },
  })
}

function servedTwice(create: () => AnyBus): Law {
  return law({
    name: 'bus/served-twice',
    statement:
      'A second server of a call is refused until the first has gone, and a stale disposer removes nobody else',
    formula: 'serve(f), serve(g): COLLIMATE_CALL_SERVED_TWICE; dispose f, serve(g), dispose f again: g serves',
    source,
    arbitrary: fc.nat(3),
    show: (times) => `the first server disposed ${times + 1} times`,
    holds: async (times) => {
      const bus = create()
      const first = bus.serve('law.asked', async () => 1)
      await refused('a second server', () => bus.serve('law.asked', async () => 2), 'COLLIMATE_CALL_SERVED_TWICE')
      sameList('reply after the refusal', [await bus.call('law.asked', 0)], [1])
      first()
      await refused('a call after the server has gone', () => bus.call('law.asked', 0), 'COLLIMATE_CALL_UNSERVED')
      bus.serve('law.asked', async () => 2)
      for (let i = 0; i < times; i++) first()
      sameList('reply of the second server', [await bus.call('law.asked', 0)], [2])
    },
  })
}

function pending(create: () => AnyBus): Law {
  return law({
    name: 'bus/pending',
    statement: 'pending() tells exactly the calls that wait, and is empty when all have been answered or refused',
    formula: '|pending| = calls made − calls answered, and 0 at the end',
    source,
    arbitrary: fc.array(fc.constantFrom('reply', 'reject', 'unserved'), { maxLength: 8 }),
    show: (ways) => `calls that end with ${ways.join(', ')}`,
    holds: async (ways) => {
      const bus = create()
      const ends: (() => void)[] = []
      bus.serve(
        'law.asked',
        (request) =>
          new Promise((resolve, reject) => {
            ends.push(() => (request === 'reject' ? reject(new Error('no')) : resolve(undefined)))
          }),
      )
      const outcomes = ways.map((way) =>
        bus.call(way === 'unserved' ? 'law.nosuch' : 'law.asked', way).catch(() => undefined),
      )
      await new Promise((resolve) => setImmediate(resolve))
      let waiting = ways.filter((way) => way !== 'unserved').length
      const count = (when: string): void => {
        const found = bus.pending()
        require(found.length === waiting, `${found.length} calls are pending ${when}, the law says ${waiting}`)
        require(found.every(
          ({ call }) => call === 'law.asked',
        ), `a call is pending that waits for nobody: ${found.map(({ call }) => call).join(', ')}`)
      }
      count('when all were made')
      for (const end of ends) {
        end()
        await new Promise((resolve) => setImmediate(resolve))
        waiting -= 1
        count('after one more was answered')
      }
      await Promise.all(outcomes)
      count('at the end')
    },
  })
}

function calledEvents(create: () => AnyBus): Law {
  return law({
    name: 'bus/calls-are-events',
    statement:
      'Each call is told as it begins and as it ends, with its request and its reply or error, joined by an id of its own',
    formula: 'call.started {id, call, request} ... call.finished {id, call, reply | error}, one pair per call',
    source: 'packages/core/src/bus.ts: CollimateEvents',
    arbitrary: fc.array(fc.boolean(), { maxLength: 8 }),
    show: (good) => `calls that ${good.map((yes) => (yes ? 'succeed' : 'fail')).join(', ')}`,
    holds: async (good) => {
      const bus = create()
      const [started, finished]: Told[][] = [[], []]
      bus.on('call.started', (payload) => void started.push(payload as Told))
      bus.on('call.finished', (payload) => void finished.push(payload as Told))
      const errors = good.map((_, i) => new Error(`error ${i}`))
      bus.serve('law.asked', async (request) => {
        if (good[Number(request)]) return 2 * Number(request)
        throw errors[Number(request)]
      })
      await Promise.allSettled(good.map((_, i) => bus.call('law.asked', i)))
      const n = good.length
      require(started.length === n &&
        finished.length === n, `${n} calls are told as ${started.length} begun and ${finished.length} ended`)
      require(new Set(started.map(({ id }) => id)).size === n, 'two calls have one id')
      for (const { id, call, request } of started) {
        const end = finished.find((other) => other.id === id)
        const i = Number(request)
        require(call === 'law.asked' &&
          end?.call === call, `call ${String(id)} is told as ${call} and ends as ${end?.call}`)
        if (good[i]) require(end?.reply === 2 * i, `call ${i} ends with the reply ${String(end?.reply)}`)
        else require(end?.error === errors[i], `call ${i} ends with the error ${String(end?.error)}`)
      }
    },
  })
}

interface Told {
  readonly id: number
  readonly call: string
  readonly request?: unknown
  readonly reply?: unknown
  readonly error?: unknown
}
