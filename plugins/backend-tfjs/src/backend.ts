import { startWorker, WorkerBackend, WorkerClient } from '@collimate/backends'
import { CollimateError, type Backend } from '@collimate/core'
import { compileProgram } from './compile.js'
import { deviceNeeds, providerOf, type Device } from './devices.js'
import type { Opened, TfjsRequests } from './worker/protocol.js'

/** A backend, and why the devices before its own were not taken. */
export interface OpenBackend extends Opened {
  readonly backend: Backend
}

/**
 * Starts a worker thread with TensorFlow.js on the first of `devices` that works here.
 * COLLIMATE_PROVIDER_UNAVAILABLE names what is missing where none does.
 */
export async function openBackend(devices: readonly Device[], threads?: number): Promise<OpenBackend> {
  if (devices.some((device) => providerOf(device) === 'node')) settleNative(threads)
  const worker = new WorkerClient<TfjsRequests>(startWorker(import.meta.url, 'worker'))
  let opened: Opened
  try {
    opened = await worker.call('open', { devices })
  } catch (error) {
    const failure = error as CollimateError
    await worker.end(failure)
    const hint = devices.map((device) => deviceNeeds[device]).join('; ')
    throw new CollimateError(failure.code, failure.message, { hint, cause: failure })
  }
  const { device } = opened
  const provider = providerOf(device)
  const backend = new WorkerBackend({
    worker,
    capabilities: {
      ...{ backend: 'tfjs', device, precision: 'float32' },
      ...(provider !== 'node' ? { threads: 1 } : threads !== undefined && { threads }),
    },
    compile: (program, frozen, typesOf) => ({ compiled: compileProgram(program, frozen, typesOf, provider) }),
  })
  return { ...opened, backend }
}

/** TensorFlow reads these when it is loaded, once in a process. */
function settleNative(threads: number | undefined): void {
  const { env } = process
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  if (threads !== undefined) env['TF_NUM_INTRAOP_THREADS'] ??= String(threads)
}
