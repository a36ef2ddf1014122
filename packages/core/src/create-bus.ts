import * as mittModule from 'mitt'
import type { Emitter } from 'mitt'
import type { Bus, CallName, CollimateEvents, Dispose, EventName } from './bus.js'
import { CollimateError } from './errors.js'

// mitt has one CommonJS-typed declaration file, which `nodenext` reads one level too deep.
const mitt = mittModule.default as unknown as typeof mittModule.default.default

type AnyHandler = (request: unknown) => Promise<unknown>
type AnyWrapper = (request: unknown, next: AnyHandler) => Promise<unknown>
type AnyListener = (name: string, payload: unknown) => unknown

/**
 * A bus. Events are delivered before the outermost `emit` returns; an event that a listener emits waits until every
 * listener has heard the present one, so that all listeners hear all events in one order.
 */
export function createBus(): Bus {
  const emitter: Emitter<Record<string, unknown>> = mitt()
  const heard = new Map<string, number>()
  const queue: { name: string; payload: unknown }[] = []
  let delivering = false

  const servers = new Map<string, AnyHandler>()
  const wraps = new Map<string, AnyWrapper[]>()
  const unanswered = new Map<number, { call: string; startedAt: number }>()
  let lastId = 0

  function emit(name: string, payload: unknown): void {
    queue.push({ name, payload })
    if (delivering) return
    delivering = true
    try {
      for (let event = queue.shift(); event; event = queue.shift()) emitter.emit(event.name, event.payload)
    } finally {
      delivering = false
    }
  }

  const failed = (event: string, error: unknown): void => {
    // A listener of failures that fails has nobody left to tell.
    if (event === 'listener.failed') return
    emit('listener.failed', { event, message: error instanceof Error ? error.message : String(error) })
  }

  function listen(name: string, listener: AnyListener): Dispose {
    let active = true
    const guarded = (event: string, payload: unknown): void => {
      // mitt tells a listener that was taken away by an earlier one of the same event.
      if (!active) return
      try {
        const result = listener(event, payload)
        if (result instanceof Promise) result.catch((error: unknown) => failed(event, error))
      } catch (error) {
        failed(event, error)
      }
    }
    const any = (event: string, payload: unknown): void => guarded(event, payload)
    const one = (payload: unknown): void => guarded(name, payload)
    if (name === '*') emitter.on('*', any)
    else emitter.on(name, one)
    heard.set(name, (heard.get(name) ?? 0) + 1)
    return () => {
      if (!active) return
      active = false
      if (name === '*') emitter.off('*', any)
      else emitter.off(name, one)
      heard.set(name, (heard.get(name) ?? 1) - 1)
    }
  }

  const isHeard = (name: EventName): boolean => (heard.get(name) ?? 0) + (heard.get('*') ?? 0) > 0

  /** Server and wraps as they stand when the call is made. */
  function handlerOf(name: string): AnyHandler {
    let handler = servers.get(name) ?? (() => Promise.reject(unserved(name, [...servers.keys()])))
    for (const wrapper of wraps.get(name) ?? []) {
      const next = handler
      handler = async (request) => wrapper(request, next)
    }
    return handler
  }

  async function call(name: string, request: unknown): Promise<unknown> {
    const id = ++lastId
    const startedAt = performance.now()
    unanswered.set(id, { call: name, startedAt })
    if (isHeard('call.started')) emit('call.started', { id, call: name, request })
    const finished = (outcome: { reply: unknown } | { error: unknown }): void => {
      unanswered.delete(id)
      if (isHeard('call.finished'))
        emit('call.finished', { id, call: name, seconds: (performance.now() - startedAt) / 1000, ...outcome })
    }
    try {
      const reply = await handlerOf(name)(request)
      finished({ reply })
      return reply
    } catch (error) {
      finished({ error })
      throw error
    }
  }

  function serve(name: string, handler: AnyHandler): Dispose {
    if (servers.has(name))
      throw new CollimateError('COLLIMATE_CALL_SERVED_TWICE', `"${name}" is served already`, {
        hint: 'one plugin answers a call; stand between with `wrap`, or end the first server with its disposer',
      })
    servers.set(name, handler)
    return () => {
      if (servers.get(name) === handler) servers.delete(name)
    }
  }

  function wrap(name: string, wrapper: AnyWrapper): Dispose {
    // A fresh function, so that wrapping twice with the same one can be undone once.
    const own: AnyWrapper = (request, next) => wrapper(request, next)
    wraps.set(name, [...(wraps.get(name) ?? []), own])
    return () => {
      const rest = (wraps.get(name) ?? []).filter((other) => other !== own)
      if (rest.length > 0) wraps.set(name, rest)
      else wraps.delete(name)
    }
  }

  const untyped = {
    emit,
    on: (name: EventName, listener: (payload: unknown) => unknown) =>
      listen(name, (_event, payload) => listener(payload)),
    onAny: (listener: (name: EventName, payload: CollimateEvents[EventName]) => unknown) =>
      listen('*', listener as AnyListener),
    call,
    serve,
    wrap,
    pending: () =>
      [...unanswered].map(([id, { call: name, startedAt }]) => ({
        id,
        call: name as CallName,
        seconds: (performance.now() - startedAt) / 1000,
      })),
  }
  // The interface ties names to payloads; inside, both are looked up at run time.
  return untyped as unknown as Bus
}

function unserved(name: string, served: readonly string[]): CollimateError {
  const role = name.split('.')[0]
  const verbs = served.filter((other) => other.startsWith(`${role}.`))
  const kind = role === 'reference' ? 'policy' : role
  const hint =
    verbs.length > 0
      ? `served under this role: ${verbs.join(', ')}`
      : `give the experiment a plugin of kind "${kind}"; \`collimate plugins\` lists those that are installed`
  return new CollimateError('COLLIMATE_CALL_UNSERVED', `nobody serves "${name}"`, { hint })
}
