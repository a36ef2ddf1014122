import { startWorker, WorkerBackend, WorkerClient } from '@collimate/backends'
import { CollimateError, type Backend } from '@collimate/core'
import { compileProgram } from './compile.js'
import { deviceNeeds, providerOf, type Device } from './devices.js'
import type { TfjsRequests } from './worker/protocol.js'

/** A device that was tried before, and why it was not taken. */
export interface Refusal {
  readonly device: Device
  readonly failure: CollimateError
}

/** A backend, where it computes, and why not on what was tried before. */
export interface OpenBackend {
  readonly backend: Backend
  readonly device: Device
  readonly refused: readonly Refusal[]
}

/**
 * Starts a worker thread with TensorFlow.js on the first of `devices` that works here.
 * COLLIMATE_PROVIDER_UNAVAILABLE names what is missing where none does.
 */
export async function openBackend(devices: readonly Device[], threads?: number): Promise<OpenBackend> {
  const refused: Refusal[] = []
  for (const device of devices) {
    if (providerOf(device) === 'node') settleNative(threads)
    // A thread for each trial: TensorFlow.js registers itself globally, whatever it was loaded from.
    const worker = new WorkerClient<TfjsRequests>(startWorker(import.meta.url, 'worker'))
    try {
      await worker.call('open', { device })
      return { device, refused, backend: backendOn(worker, device, threads) }
    } catch (error) {
      const failure = error as CollimateError
      await worker.end(failure)
      refused.push({ device, failure })
    }
  }
  const [{ code }] = refused.map(({ failure }) => failure) as [CollimateError]
  throw new CollimateError(code, refused.map(({ failure }) => failure.message).join('; '), {
    hint: refused.map(({ device }) => deviceNeeds[device]).join('; '),
    cause: refused[0]?.failure,
  })
}

function backendOn(worker: WorkerClient<TfjsRequests>, device: Device, threads: number | undefined): Backend {
  const provider = providerOf(device)
  return new WorkerBackend({
    worker,
    capabilities: {
      ...{ backend: 'tfjs', device, precision: 'float32' },
      ...(provider !== 'node' ? { threads: 1 } : threads !== undefined && { threads }),
    },
    compile: (program, frozen, typesOf) => ({ compiled: compileProgram(program, frozen, typesOf, provider) }),
  })
}

/** TensorFlow reads these when it is loaded, once in a process. */
function settleNative(threads: number | undefined): void {
  const { env } = process
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '3'
  if (threads !== undefined) env['TF_NUM_INTRAOP_THREADS'] ??= String(threads)
}
