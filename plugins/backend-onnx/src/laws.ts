import { devicesToCheck, lawsOnDevice, type LawSuite } from '@collimate/laws'
import { createBackend } from './backend.js'
import { devices, onnx, probeDevice, type Device, type Precision } from './index.js'
import { oneAtATime } from './laws/one-at-a-time.js'

const settings = { threads: 2, arena: true, spinning: false } as const

/** A device, and its precision where that is not float32. */
type Subject = Device | `${Device} float16`

/**
 * The laws of backends, in float32 and with matrix products in float16: on the CPU, which every machine has, and on each
 * device that the environment variable COLLIMATE_ONNX_DEVICES names, e.g. `webgpu,cuda,cuda float16`. A device that does not
 * start fails its suite.
 */
export default async function laws(): Promise<LawSuite[]> {
  const { COLLIMATE_ONNX_DEVICES } = process.env
  const always: Subject[] = ['cpu', 'cpu float16']
  const known = devices.flatMap((device): Subject[] => [device, `${device} float16`])
  const suites: LawSuite[] = []
  for (const subject of devicesToCheck({ COLLIMATE_ONNX_DEVICES }, { always, known })) {
    const [device, precision = 'float32'] = subject.split(' ') as [Device, Precision?]
    suites.push(
      lawsOnDevice({
        ...{ name: onnx.definition.name, device, precision, create: creatorOn(device, precision) },
        starts: device === 'cpu' || (await probeDevice(device, precision)).works,
        claims: onnx.definition.capabilities,
      }),
    )
  }
  return suites
}

function creatorOn(device: Device, precision: Precision) {
  const create = () => createBackend({ ...settings, device, precision })
  return device === 'webgpu' ? oneAtATime(create) : create
}
