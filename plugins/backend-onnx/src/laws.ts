import { devicesToCheck, lawsOnDevice, type LawSuite } from '@collimate/laws'
import { createBackend } from './backend.js'
import { devices, onnx, probeDevice, type Device } from './index.js'
import { oneAtATime } from './laws/one-at-a-time.js'

const settings = { threads: 2, arena: true, spinning: false } as const

/**
 * The laws of backends, in float32: on the CPU, which every machine has, and on each device that the environment variable
 * COLLIMATE_ONNX_DEVICES names, e.g. `webgpu,cuda`. A device that does not start fails its suite.
 */
export default async function laws(): Promise<LawSuite[]> {
  const { COLLIMATE_ONNX_DEVICES } = process.env
  const suites: LawSuite[] = []
  for (const device of devicesToCheck({ COLLIMATE_ONNX_DEVICES }, { always: ['cpu'], known: devices }))
    suites.push(
      lawsOnDevice({
        ...{ name: onnx.definition.name, device, create: creatorOn(device) },
        starts: device === 'cpu' || (await probeDevice(device)).works,
        claims: onnx.definition.capabilities,
      }),
    )
  return suites
}

function creatorOn(device: Device) {
  const create = () => createBackend({ ...settings, device })
  return device === 'webgpu' ? oneAtATime(create) : create
}
