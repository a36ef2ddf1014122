import type { Bus } from '@collimate/core'
import { createBus } from '@collimate/core'
import { lawsOfBus } from '@collimate/laws'
import { mutantsOf } from './mutant.js'

type CreateBus = () => Bus
const changed = (change: (bus: Bus) => Partial<Bus>) => (right: CreateBus) => () => {
  const bus = right()
  return { ...bus, ...change(bus) } as Bus
}

export const buses = mutantsOf<CreateBus>({
  subject: 'the bus',
  right: createBus,
  suite: (create, name) => lawsOfBus({ name, create }),
  mutations: [
    {
      id: 'bus-loses-errors',
      defect: '-',
      what: 'a call whose server throws is answered with nothing',
      wrong: changed((bus) => ({ call: (name, request) => bus.call(name, request).catch(() => undefined as never) })),
    },
    {
      id: 'bus-leaves-listener-behind',
      defect: '-',
      what: 'ending the listening does not end it',
      wrong: changed((bus) => ({ on: (name, listener) => (bus.on(name, listener), () => undefined) })),
    },
    {
      id: 'bus-leaves-observer-behind',
      defect: '-',
      what: 'who listens to everything goes on listening when it ends',
      wrong: changed((bus) => ({ onAny: (listener) => (bus.onAny(listener), () => undefined) })),
    },
    {
      id: 'bus-leaves-wrap-behind',
      defect: '-',
      what: 'a wrap that was taken away still stands between caller and server',
      wrong: changed((bus) => ({ wrap: (name, wrapper) => (bus.wrap(name, wrapper), () => undefined) })),
    },
    {
      id: 'bus-emits-late',
      defect: '-',
      what: 'an event is delivered after emit has returned',
      wrong: changed((bus) => ({ emit: (name, payload) => queueMicrotask(() => bus.emit(name, payload)) })),
    },
    {
      id: 'bus-emits-newest-first',
      defect: '-',
      what: 'two events of one moment arrive in the opposite order',
      wrong: changed((bus) => {
        const waiting: (() => void)[] = []
        return {
          emit: (name, payload) => {
            if (waiting.push(() => bus.emit(name, payload)) === 1)
              queueMicrotask(() =>
                waiting
                  .splice(0)
                  .reverse()
                  .forEach((send) => send()),
              )
          },
        }
      }),
    },
    {
      id: 'bus-stops-at-failing-listener',
      defect: '-',
      what: 'a listener that throws keeps the event from those behind it',
      wrong: changed((bus) => {
        let failed = ''
        return {
          on: (name, listener) =>
            bus.on(name, (payload) => {
              if (failed === name) return
              try {
                listener(payload)
              } catch (error) {
                failed = name
                throw error
              }
            }),
        }
      }),
    },
    {
      id: 'bus-answers-twice-served',
      defect: '-',
      what: 'a second server of a call takes the place of the first without a word',
      wrong: changed((bus) => {
        const ends = new Map<string, () => void>()
        return {
          serve: (name, handler) => {
            ends.get(name)?.()
            const end = bus.serve(name, handler)
            ends.set(name, end)
            return end
          },
        }
      }),
    },
    {
      id: 'bus-asks-twice',
      defect: '-',
      what: 'one call reaches its server twice',
      wrong: changed((bus) => ({
        call: async (name, request) => (await bus.call(name, request), bus.call(name, request)),
      })),
    },
    {
      id: 'bus-first-wrap-outermost',
      defect: '-',
      what: 'the wrap that was added first is the outermost',
      wrong: changed((bus) => {
        type Wrapper = (request: never, next: never) => Promise<never>
        const lists = new Map<string, { list: Wrapper[]; end: () => void }>()
        return {
          wrap: (name, wrapper) => {
            const known = lists.get(name)
            const list = [...(known?.list ?? []), wrapper as unknown as Wrapper]
            known?.end()
            const ends = [...list].reverse().map((each) => bus.wrap(name, each as never))
            const end = () => ends.forEach((dispose) => dispose())
            lists.set(name, { list, end })
            return end
          },
        }
      }),
    },
    {
      id: 'bus-forgets-unanswered-calls',
      defect: '-',
      what: 'calls that have no answer yet are not told',
      wrong: changed(() => ({ pending: () => [] })),
    },
  ],
})
