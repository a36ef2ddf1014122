import { lawsOnDevice, type LawSuite } from '@collimate/laws'
import { openBackend } from '../backend.js'
import type { Device } from '../devices.js'
import { probeDevice, tfjs } from '../index.js'
import { tensorsAreExplained } from './tensors.js'

/** The laws of backends, in float32, on a device, and that of its tensors. One that does not start fails its suite. */
export async function suiteOn(device: Device): Promise<LawSuite> {
  const starts = device === 'wasm' || device === 'cpu' || (await probeDevice(device)).works
  const suite = lawsOnDevice({
    ...{ name: tfjs.definition.name, device, starts },
    create: async () => (await openBackend([device])).backend,
    claims: tfjs.definition.capabilities,
  })
  return starts ? { ...suite, laws: [...suite.laws, tensorsAreExplained(device)] } : suite
}
