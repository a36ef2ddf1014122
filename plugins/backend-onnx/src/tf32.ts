import { isMainThread } from 'node:worker_threads'
import { CollimateError } from '@collimate/core'

const variable = 'NVIDIA_TF32_OVERRIDE'

/** What the process's CUDA library was told when it was loaded; it never asks again. */
let settled: { readonly tf32: boolean; backends: number } | undefined

/**
 * Turns TF32 off, or leaves it as CUDA has it (on), before the CUDA library is loaded: ONNX Runtime's own switch is out of
 * reach from Node. The variable has to be in the environment of the process, and that of a worker thread is a copy.
 * Returns what takes it back where no backend came of it.
 *
 * @throws CollimateError COLLIMATE_PRECISION_SETTLED where a backend of this process was opened with the other setting, or a
 * worker thread cannot turn it off.
 */
export function settleTf32(tf32: boolean): () => void {
  if (settled && settled.tf32 !== tf32) {
    throw new CollimateError(
      'COLLIMATE_PRECISION_SETTLED',
      `a backend of this process uses cuda with tf32: ${settled.tf32}; another cannot have tf32: ${tf32}`,
      { hint: 'CUDA reads the setting once: use one setting per process' },
    )
  }
  const before = process.env[variable]
  if (!tf32 && before !== '0') {
    if (!isMainThread) {
      throw new CollimateError('COLLIMATE_PRECISION_SETTLED', 'a worker thread cannot turn TF32 off for its process', {
        hint: `start the process with ${variable}=0, or use tf32: true`,
      })
    }
    process.env[variable] = '0'
  }
  settled ??= { tf32, backends: 0 }
  settled.backends += 1
  return () => {
    if (!settled) return
    settled.backends -= 1
    if (settled.backends > 0) return
    settled = undefined
    if (before === undefined) delete process.env[variable]
    else process.env[variable] = before
  }
}
