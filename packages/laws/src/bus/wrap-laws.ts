import fc from 'fast-check'
import { law, type Law, require } from '../law.js'
import { refused } from '../refused.js'
import { sameList } from './lists.js'
import type { AnyBus } from './any-bus.js'

const source = 'packages/core/src/bus.ts: Bus.wrap'

/** Laws of wraps. */
export function wrapLaws(create: () => AnyBus): Law[] {
  return [nesting(create), answering(create)]
}

function nesting(create: () => AnyBus): Law {
  return law({
    name: 'bus/wraps-nest',
    statement: 'Wraps nest, the last one added outermost, and disposing some leaves the others as they were',
    formula: 'call = wrap_n(... wrap_2(wrap_1(server)))',
    source,
    arbitrary: fc.array(fc.boolean(), { maxLength: 6 }),
    show: (keep) => `wraps ${keep.map((yes, i) => `${i}${yes ? '' : ' (disposed)'}`).join(', ')}`,
    holds: async (keep) => {
      const bus = create()
      const trace: string[] = []
      bus.serve('law.asked', async (request) => {
        trace.push('server')
        return 2 * Number(request)
      })
      const disposers = keep.map((_, i) =>
        bus.wrap('law.asked', async (request, next) => {
          trace.push(`in ${i}`)
          const reply = await next(Number(request) + 1)
          trace.push(`out ${i}`)
          return reply
        }),
      )
      disposers.forEach((dispose, i) => (keep[i] ? undefined : dispose()))
      const kept = keep.flatMap((yes, i) => (yes ? [i] : []))
      const reply = await bus.call('law.asked', 0)
      sameList('the way of the call', trace, [
        ...kept.toReversed().map((i) => `in ${i}`),
        'server',
        ...kept.map((i) => `out ${i}`),
      ])
      require(reply === 2 * kept.length, `the reply is ${String(reply)}, the law says ${2 * kept.length}`)
    },
  })
}

function answering(create: () => AnyBus): Law {
  return law({
    name: 'bus/wraps-may-answer',
    statement:
      'A wrap may answer by itself, also where nobody serves, its errors travel, and after its disposer it is gone',
    formula:
      'wrap(() => r): call = r; wrap(() => throw e): call rejects with e; disposed: the server, or COLLIMATE_CALL_UNSERVED',
    source,
    arbitrary: fc.record({ served: fc.boolean(), throws: fc.boolean(), reply: fc.integer() }),
    show: ({ served, throws, reply }) =>
      `a wrap that ${throws ? 'throws' : `answers ${reply}`} where ${served ? 'a server' : 'nobody'} serves`,
    holds: async ({ served, throws, reply }) => {
      const bus = create()
      const error = new Error('wrapped')
      if (served) bus.serve('law.asked', async () => 'served')
      const dispose = bus.wrap('law.asked', () => {
        if (throws) throw error
        return Promise.resolve(reply)
      })
      const outcome = await bus.call('law.asked', 1).catch((caught: unknown) => caught)
      require(outcome === (throws ? error : reply), `the caller gets ${String(outcome)}`)
      dispose()
      if (served) sameList('reply after the disposer', [await bus.call('law.asked', 1)], ['served'])
      else await refused('a call after the disposer', () => bus.call('law.asked', 1), 'COLLIMATE_CALL_UNSERVED')
      require(bus.pending().length === 0, `${bus.pending().length} calls are pending at the end`)
    },
  })
}
