import type { Bus, Tracker } from '@collimate/core'
import { describe, expect, test } from 'vitest'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { lawsOfTracker } from './index.js'

const tracker = (attach: (bus: Bus, lines: string[]) => () => void): Tracker => ({
  attach: (bus) => attach(bus, []),
  close: async () => undefined,
})

/** Keeps a line for each metric. */
const right = () =>
  tracker((bus, lines) =>
    bus.on('metrics.logged', ({ step, metrics }) => {
      for (const [name, value] of Object.entries(metrics)) lines.push(`${step} ${name} ${value}`)
    }),
  )

testLaws(lawsOfTracker({ name: 'lines', create: right }), { test })

const wrong: Record<string, { law: string; create: () => Tracker }> = {
  'raises warnings': {
    law: 'tracker/only-listens',
    create: () =>
      tracker((bus) =>
        bus.on('policy.updated', ({ step }) => bus.emit('warning.raised', { code: 'COLLIMATE_X', message: `${step}` })),
      ),
  },
  'wraps updates to time them': {
    law: 'tracker/only-listens',
    create: () => tracker((bus) => bus.wrap('policy.update', (request, next) => next(request))),
  },
  'rounds the metrics that others hear too': {
    law: 'tracker/only-listens',
    create: () =>
      tracker((bus) =>
        bus.on('metrics.logged', ({ metrics }) => {
          for (const name of Object.keys(metrics)) (metrics as Record<string, number>)[name] = Math.round(metrics[name])
        }),
      ),
  },
  'leaves one of its listeners': {
    law: 'tracker/leaves-no-listener',
    create: () =>
      tracker((bus) => {
        bus.on('evaluation.finished', () => undefined)
        return bus.on('metrics.logged', () => undefined)
      }),
  },
  'listens anew at each phase': {
    law: 'tracker/leaves-no-listener',
    create: () => tracker((bus) => bus.on('phase.changed', () => void bus.on('metrics.logged', () => undefined))),
  },
  'takes every number for finite': {
    law: 'tracker/survives-any-run',
    create: () =>
      tracker((bus) =>
        bus.on('metrics.logged', ({ metrics }) => {
          for (const value of Object.values(metrics)) BigInt(Math.round(value))
        }),
      ),
  },
  'fails later, in a promise': {
    law: 'tracker/survives-any-run',
    create: () =>
      tracker((bus) =>
        bus.on('evaluation.finished', (async ({ metrics }: { metrics: Record<string, { low?: number }> }) => {
          await Promise.resolve()
          for (const { low } of Object.values(metrics)) low!.toFixed(2)
        }) as unknown as () => void),
      ),
  },
  'cannot be detached twice': {
    law: 'tracker/detach-twice',
    create: () =>
      tracker((bus) => {
        let dispose: (() => void) | undefined = bus.on('metrics.logged', () => undefined)
        return () => {
          dispose!()
          dispose = undefined
        }
      }),
  },
  'closes what was never opened': {
    law: 'tracker/close',
    create: () => {
      let lines: string[] | undefined
      return {
        attach: () => {
          lines = []
          return () => undefined
        },
        close: async () => {
          lines!.push('done')
        },
      }
    },
  },
}

describe('wrong trackers and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (name, { law, create }) => {
    const results = await checkSuite(lawsOfTracker({ name, create }), { seed: 6, runs: 300 })
    expect(results.flatMap((one) => (one.status === 'fails' ? [one.law.name] : []))).toContain(law)
  })
})
