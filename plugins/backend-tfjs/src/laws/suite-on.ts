import { lawsOfBackend, type LawSuite } from '@collimate/laws'
import { openBackend } from '../backend.js'
import type { Device } from '../devices.js'
import { probeDevice, tfjs } from '../index.js'
import { tensorsAreExplained } from './tensors.js'

/** The laws of backends, in float32, on a device. One that does not start fails its suite. */
export async function suiteOn(device: Device): Promise<LawSuite> {
  const starts = device === 'wasm' || device === 'cpu' || (await probeDevice(device)).works
  const suite = lawsOfBackend({
    name: `${tfjs.definition.name} (${device})${starts ? '' : ', which does not start'}`,
    create: async () => (await openBackend([device])).backend,
    tolerance: 2e-5,
    claims: tfjs.definition.capabilities,
  })
  if (starts) return { ...suite, laws: [...suite.laws, tensorsAreExplained(device)] }
  // One failure that says what is missing, instead of one in each law.
  return { ...suite, laws: suite.laws.filter((law) => law.name === 'backend/device') }
}
