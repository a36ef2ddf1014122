import { type StateTypes, WorkerBackend, WorkerClient, startWorker } from '@collimate/backends'
import { CollimateError, type Backend } from '@collimate/core'
import { input, matmul, program } from '@collimate/graph'
import { compileProgram } from './compile.js'
import { checkIndices } from './indices.js'
import { deviceNeeds, float16Needs } from './providers.js'
import { settleTf32 } from './tf32.js'
import { takeDevice } from './webgpu-guard.js'
import type { OnnxRequests, SessionSettings } from './worker/protocol.js'

/**
 * Starts a worker thread with ONNX Runtime on `settings.device`.
 * COLLIMATE_PROVIDER_UNAVAILABLE names what is missing where the device, or its precision, does not work here.
 */
export async function createBackend(settings: SessionSettings): Promise<Backend> {
  const { device, threads, precision = 'float32' } = settings
  const giveBack = takeDevice(device)
  const undoTf32 = device === 'cuda' ? settleTf32(settings.tf32 ?? false) : undefined
  const worker = new WorkerClient<OnnxRequests>(startWorker(import.meta.url, 'worker'))
  try {
    await worker.call('open', { settings, probe: compileProgram(probe, new Map(), noStates, device, precision) })
  } catch (error) {
    const failure = error as CollimateError
    await worker.end(failure)
    giveBack()
    undoTf32?.()
    const hint = precision === 'float16' ? `${float16Needs}; ${deviceNeeds[device]}` : deviceNeeds[device]
    throw new CollimateError(failure.code, failure.message, { hint, cause: failure })
  }
  return new WorkerBackend({
    worker,
    capabilities: { backend: 'onnx', device, precision, threads },
    compile: (program, frozen, typesOf) => {
      const compiled = compileProgram(program, frozen, typesOf, device, precision)
      return { compiled, check: (feeds) => checkIndices(program.name, compiled.indices, feeds) }
    },
    closed: giveBack,
  })
}

/** Whether it runs shows that the device works, in its precision too. */
const x = input('x', [1, 2])
const probe = program({ name: 'probe', outputs: { y: matmul(x, x, { transposeA: true }) } })
const noStates = (): StateTypes => new Map()
