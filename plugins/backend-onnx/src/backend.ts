import { WorkerBackend, WorkerClient, startWorker } from '@collimate/backends'
import { CollimateError, type Backend } from '@collimate/core'
import { compileProgram } from './compile.js'
import { encodeModel } from './onnx-model.js'
import { checkIndices } from './indices.js'
import { deviceNeeds } from './providers.js'
import { settleTf32 } from './tf32.js'
import { takeDevice } from './webgpu-guard.js'
import type { OnnxRequests, SessionSettings } from './worker/protocol.js'

/**
 * Starts a worker thread with ONNX Runtime on `settings.device`.
 * COLLIMATE_PROVIDER_UNAVAILABLE names what is missing where the device does not work here.
 */
export async function createBackend(settings: SessionSettings): Promise<Backend> {
  const { device, threads } = settings
  const giveBack = takeDevice(device)
  const undoTf32 = device === 'cuda' ? settleTf32(settings.tf32 ?? false) : undefined
  const worker = new WorkerClient<OnnxRequests>(startWorker(import.meta.url, 'worker'))
  try {
    await worker.call('open', { settings, probe: probeModel() })
  } catch (error) {
    const failure = error as CollimateError
    await worker.end(failure)
    giveBack()
    undoTf32?.()
    throw new CollimateError(failure.code, failure.message, { hint: deviceNeeds[device], cause: failure })
  }
  return new WorkerBackend({
    worker,
    capabilities: { backend: 'onnx', device, precision: 'float32', threads },
    compile: (program, frozen, typesOf) => {
      const compiled = compileProgram(program, frozen, typesOf, device)
      return { compiled, check: (feeds) => checkIndices(program.name, compiled.indices, feeds) }
    },
    closed: giveBack,
  })
}

/** The smallest model: creating a session of it shows whether the device works. */
function probeModel(): Uint8Array<ArrayBuffer> {
  const value = (name: string) => ({ name, type: 'float32' as const, shape: [1] })
  return encodeModel({
    name: 'probe',
    nodes: [{ type: 'Add', name: 'add', inputs: ['x', 'x'], outputs: ['y'] }],
    inputs: [value('x')],
    outputs: [value('y')],
    initializers: [],
  })
}
