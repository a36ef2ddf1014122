import { CollimateError } from '@collimate/core'
import { lawsOfBackend, type LawSuite } from '@collimate/laws'
import { createBackend } from './backend.js'
import { devices, onnx, probeDevice, type Device } from './index.js'
import { oneAtATime } from './laws/one-at-a-time.js'

const settings = { threads: 2, arena: true, spinning: false } as const

/**
 * The laws of backends, in float32: on the CPU, which every machine has, and on each device that the environment variable
 * COLLIMATE_ONNX_DEVICES names, e.g. `webgpu,cuda`. A device that does not start fails its suite.
 */
export default async function laws(): Promise<LawSuite[]> {
  const { COLLIMATE_ONNX_DEVICES: named = '' } = process.env
  const wanted = new Set(['cpu', ...named.split(',').map((name) => name.trim())])
  wanted.delete('')
  const suites: LawSuite[] = []
  for (const device of wanted) suites.push(await suiteOn(device))
  return suites
}

async function suiteOn(name: string): Promise<LawSuite> {
  const device = devices.find((known) => known === name)
  if (!device) {
    throw new CollimateError('COLLIMATE_OPTION_INVALID', `COLLIMATE_ONNX_DEVICES names ${name}`, {
      hint: `it is a list of ${devices.join(', ')}`,
    })
  }
  const starts = device === 'cpu' || (await probeDevice(device)).works
  const suite = lawsOfBackend({
    name: `${onnx.definition.name} (${device})${starts ? '' : ', which does not start'}`,
    create: creatorOn(device),
    tolerance: 2e-5,
    claims: onnx.definition.capabilities,
  })
  // One failure that says what is missing, instead of one in each law.
  return starts ? suite : { ...suite, laws: suite.laws.filter((law) => law.name === 'backend/device') }
}

function creatorOn(device: Device) {
  const create = () => createBackend({ ...settings, device })
  return device === 'webgpu' ? oneAtATime(create) : create
}
