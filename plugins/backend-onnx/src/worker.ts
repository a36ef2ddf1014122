import { parentPort } from 'node:worker_threads'
import { Engine } from './worker/engine.js'
import { Failure, messageOf } from './worker/failure.js'
import type { ReplyMessage, RequestMessage, Requests, Verb } from './worker/protocol.js'

/*
 * The thread in which ONNX Runtime works: its runs block the thread that they are called on. It imports none of our
 * packages, so that it starts fast and from sources too. Requests are answered one after the other, in order.
 */
const port = parentPort
if (!port) throw new Error('worker.ts is the entry of a worker thread')

type Reply = Requests[Verb]['reply']

const engine = new Engine()
let last: Promise<void> = Promise.resolve()

port.on('message', (message: RequestMessage) => {
  last = last.then(() => answer(message))
})

async function answer({ call, verb, request }: RequestMessage): Promise<void> {
  try {
    // Verb and request belong together in every message; the type system does not follow that through the lookup.
    const method = engine[verb].bind(engine) as (of: RequestMessage['request']) => Reply | Promise<Reply>
    send({ call, reply: await method(request) })
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
    for (const value of Object.values(message.reply)) {
      const data: unknown = typeof value === 'object' && value !== null && 'data' in value ? value.data : value
      if (ArrayBuffer.isView(data)) buffers.push(data.buffer as ArrayBuffer)
    }
  }
  port?.postMessage(message, [...new Set(buffers)])
}
