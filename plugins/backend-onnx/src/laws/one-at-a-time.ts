import type { Backend } from '@collimate/core'

type Call = (...parameters: unknown[]) => unknown

/**
 * Backends of which one at a time is open, for a device that a process can have once (webgpu). Each opens when it is first
 * used, after the one before it was closed; that one opens anew, empty, when it is used again.
 */
export function oneAtATime(create: () => Promise<Backend>): () => Backend {
  let holder: { put(): Promise<void> } | undefined
  let turn: Promise<unknown> = Promise.resolve()

  return () => {
    let own: Backend | undefined
    let closed = false
    const me = {
      put: async () => {
        await own?.close()
        own = undefined
      },
    }
    const take = async (): Promise<Backend> => {
      if (own) return own
      await holder?.put()
      own = await create()
      holder = me
      return own
    }
    /** Calls go out in the order in which they were made. */
    const ask = <T>(work: (backend: Backend) => T): Promise<Awaited<T>> => {
      const taken = turn.then(take)
      turn = taken.catch(() => undefined)
      return taken.then(work) as Promise<Awaited<T>>
    }
    const close = async (): Promise<void> => {
      if (closed) return
      closed = true
      await turn
      if (holder === me) holder = undefined
      await own?.close()
    }
    const empty = {} as Backend
    return new Proxy(empty, {
      get: (_, verb) => {
        if (typeof verb !== 'string' || verb === 'then') return undefined
        if (verb === 'close') return close
        return (...parameters: unknown[]) =>
          ask((backend) => (backend[verb as keyof Backend] as Call).apply(backend, parameters))
      },
    })
  }
}
