import { parentPort } from 'node:worker_threads'
import { Failure } from './failure.js'
import type { Engine, ReplyMessage, RequestMessage } from './protocol.js'

/**
 * Answers the requests of a `WorkerClient` in its thread, one after the other, in order. `messageOf` says what an error of
 * the engine's library means.
 */
// A method's parameter is bivariant, a function's is not: any engine fits, whatever its requests are.
export function serveEngine(
  engine: { [V in keyof Engine]: unknown },
  messageOf: (error: unknown) => string = (error) => (error instanceof Error ? error.message : String(error)),
): void {
  const port = parentPort
  if (!port) throw new Error('an engine is served in a worker thread')
  let last: Promise<void> = Promise.resolve()
  port.on('message', (message: RequestMessage) => {
    last = last.then(() => answer(message))
  })

  async function answer({ call, verb, request }: RequestMessage): Promise<void> {
    try {
      const method = engine[verb] as (this: typeof engine, of: unknown) => unknown
      send({ call, reply: await method.call(engine, request) })
    } catch (error) {
      const failure =
        error instanceof Failure
          ? { code: error.code, message: error.message, hint: error.hint }
          : { code: 'COLLIMATE_BACKEND_FAILED' as const, message: messageOf(error) }
      send({ call, failure })
    }
  }

  /** Replies are copies that belong to the client: their buffers move there. */
  function send(message: ReplyMessage): void {
    const buffers: ArrayBuffer[] = []
    if ('reply' in message && message.reply && typeof message.reply === 'object') {
      for (const value of Object.values(message.reply) as unknown[]) {
        const data: unknown = typeof value === 'object' && value !== null && 'data' in value ? value.data : value
        if (ArrayBuffer.isView(data)) buffers.push(data.buffer as ArrayBuffer)
      }
    }
    port?.postMessage(message, [...new Set(buffers)])
  }
}
