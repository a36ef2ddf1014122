import { CollimateError } from '@collimate/core'
import type { Worker } from 'node:worker_threads'
import type { ReplyMessage, Requests, Verb } from './protocol.js'

interface Pending {
  resolve(reply: unknown): void
  reject(error: CollimateError): void
}

/**
 * The client's end of a worker thread: requests go out in order, replies come back to their callers.
 *
 * An unanswered request keeps the process alive, an idle worker does not.
 */
export class WorkerClient<All extends Requests = Requests> {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #gone: CollimateError | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    this.#worker.unref()
    this.#worker.on('message', (message: ReplyMessage) => this.#settle(message))
    this.#worker.on('error', (error) => this.#crash(error))
    this.#worker.on('exit', (status) => this.#crash(new Error(`the worker thread ended with status ${status}`)))
  }

  /** Sends a request; `transfer` lists buffers that move to the worker. */
  call<V extends Verb>(
    verb: V,
    request: All[V]['request'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<All[V]['reply']> {
    if (this.#gone) return Promise.reject(this.#gone)
    const call = this.#calls++
    return new Promise((resolve, reject) => {
      this.#worker.postMessage({ call, verb, request }, transfer)
      this.#pending.set(call, { resolve: resolve as Pending['resolve'], reject })
      this.#worker.ref()
    })
  }

  /** Ends the thread; requests that are still open fail with `reason`, as does every later one. */
  async end(reason: CollimateError): Promise<void> {
    this.#fail(reason)
    await this.#worker.terminate()
  }

  #settle(message: ReplyMessage): void {
    const pending = this.#pending.get(message.call)
    this.#pending.delete(message.call)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('reply' in message) return pending?.resolve(message.reply)
    const { code, message: text, hint } = message.failure
    pending?.reject(new CollimateError(code, text, hint === undefined ? {} : { hint }))
  }

  #crash(cause: Error): void {
    this.#fail(
      new CollimateError('COLLIMATE_BACKEND_CRASHED', `the backend's worker thread is gone: ${cause.message}`, {
        hint: 'its states are lost; create the backend again and resume from the last checkpoint',
        cause,
      }),
    )
  }

  #fail(error: CollimateError): void {
    this.#gone ??= error
    for (const { reject } of this.#pending.values()) reject(this.#gone)
    this.#pending.clear()
  }
}
