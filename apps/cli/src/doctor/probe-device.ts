import { CollimateError } from '@collimate/core'
import { input, program, sum } from '@collimate/graph'
import { createBackend } from '../create.js'
import { notWorking } from './checks.js'
import type { Check } from './checks.js'

/** Runs a small program on a device of the ONNX backend and looks at what it computes. */
export async function probeDevice(device: string): Promise<Check> {
  try {
    return { name: `device ${device}`, state: 'ok', detail: await compute(device) }
  } catch (error) {
    const { message, hint } = error as CollimateError
    return { ...notWorking(device), detail: message, ...(hint !== undefined && { hint }) }
  }
}

async function compute(device: string): Promise<string> {
  const backend = await createBackend({ device })
  try {
    const x = input('x', [4])
    const executable = await backend.compile({ program: program({ name: 'probe', outputs: { y: sum(x) } }) })
    const { y } = await backend.run({ executable, feeds: { x: Float32Array.of(1, 2, 3, 4) } })
    if (y[0] !== 10) throw new CollimateError('COLLIMATE_DEVICE_WRONG', `it computes wrongly: 1 + 2 + 3 + 4 = ${y[0]}`)
    const { precision, threads } = await backend.capabilities()
    return `works, ${precision}${threads === undefined ? '' : `, ${threads} threads`}`
  } finally {
    await backend.close()
  }
}
