import { CollimateError } from '@collimate/core'
import { input, program, sum } from '@collimate/graph'
import { createBackend } from '../create.js'

/** Runs a small program on a device of the ONNX backend, checks its result, and prints where it ran. */
export async function probeDevice(device: string): Promise<void> {
  const backend = await createBackend({ device })
  try {
    const x = input('x', [4])
    const executable = await backend.compile({ program: program({ name: 'probe', outputs: { y: sum(x) } }) })
    const { y } = await backend.run({ executable, feeds: { x: Float32Array.of(1, 2, 3, 4) } })
    if (y[0] !== 10)
      throw new CollimateError('COLLIMATE_DEVICE_WRONG', `device ${device} computes wrongly: 1 + 2 + 3 + 4 = ${y[0]}`)
    const { precision, threads } = await backend.capabilities()
    process.stdout.write(`works, ${precision}${threads === undefined ? '' : `, ${threads} threads`}\n`)
  } finally {
    await backend.close()
  }
}
