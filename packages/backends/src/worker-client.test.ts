import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { WorkerClient } from './worker-client.js'

describe('a worker that dies', () => {
  test.each([
    ['by an error', "throw new Error('boom')"],
    ['by ending the thread', "require('node:worker_threads').parentPort.on('message', () => process.exit(3))"],
  ])('%s: open calls and later ones fail with a code', async (_, code) => {
    const client = new WorkerClient(new Worker(code, { eval: true }))
    const calls = [client.call('usage', {}), client.call('usage', {})]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_CRASHED' })
    await expect(client.call('usage', {})).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_CRASHED' })
  })
})
