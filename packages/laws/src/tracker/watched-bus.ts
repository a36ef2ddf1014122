import { type Bus, createBus } from '@collimate/core'
import type { AnyBus } from '../bus/any-bus.js'

/** A bus that knows what is done with it. */
export interface WatchedBus {
  readonly bus: Bus
  /** What would change the run: calls, servers, wraps and events. */
  readonly meddling: readonly string[]
  /** Listeners that are there now, by what they listen to. */
  readonly listening: readonly string[]
  /** Listeners that failed. */
  readonly failures: readonly string[]
  /** Tells an event as the run does. */
  emit(name: string, payload: unknown): void
}

export function watchedBus(): WatchedBus {
  const inner = createBus() as unknown as AnyBus
  const meddling: string[] = []
  const failures: string[] = []
  const present: { name: string }[] = []
  const counted = (name: string, dispose: () => void): (() => void) => {
    const one = { name }
    present.push(one)
    return () => {
      dispose()
      if (present.includes(one)) present.splice(present.indexOf(one), 1)
    }
  }
  inner.on('listener.failed', (payload) => {
    const { event, message } = payload as { event: string; message: string }
    failures.push(`${event}: ${message}`)
  })
  const bus: AnyBus = {
    on: (name, listener) => counted(name, inner.on(name, listener)),
    onAny: (listener) => counted('every event', inner.onAny(listener)),
    emit(name, payload) {
      meddling.push(`emits ${name}`)
      inner.emit(name, payload)
    },
    call(name, request) {
      meddling.push(`calls ${name}`)
      return inner.call(name, request)
    },
    serve(name, handler) {
      meddling.push(`serves ${name}`)
      return inner.serve(name, handler)
    },
    wrap(name, wrapper) {
      meddling.push(`wraps ${name}`)
      return inner.wrap(name, wrapper)
    },
    pending: inner.pending,
  }
  return {
    bus: bus as unknown as Bus,
    meddling,
    failures,
    get listening() {
      return present.map(({ name }) => name)
    },
    emit: inner.emit,
  }
}
