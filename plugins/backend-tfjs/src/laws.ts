import { CollimateError } from '@collimate/core'
import { lawsOfBackend, type LawSuite } from '@collimate/laws'
import { openBackend } from './backend.js'
import { devices, probeDevice, tfjs } from './index.js'
import { tensorsAreExplained } from './laws/tensors.js'
import { nativeTfjsPackage } from './native-location.js'

/**
 * The laws of backends, in float32: on WebAssembly and in plain JavaScript, which every machine has, on native TensorFlow
 * where `native-tfjs` has staged it, and on each device that the environment variable COLLIMATE_TFJS_DEVICES names, e.g.
 * `node,node-gpu`. A device that does not start fails its suite.
 */
export default async function laws(): Promise<LawSuite[]> {
  const { COLLIMATE_TFJS_DEVICES: named = '' } = process.env
  const staged = nativeTfjsPackage() === undefined ? [] : ['node']
  const wanted = new Set(['wasm', 'cpu', ...staged, ...named.split(',').map((name) => name.trim())])
  wanted.delete('')
  const suites: LawSuite[] = []
  for (const device of wanted) suites.push(await suiteOn(device))
  return suites
}

async function suiteOn(name: string): Promise<LawSuite> {
  const device = devices.find((known) => known === name)
  if (!device) {
    throw new CollimateError('COLLIMATE_OPTION_INVALID', `COLLIMATE_TFJS_DEVICES names ${name}`, {
      hint: `it is a list of ${devices.join(', ')}`,
    })
  }
  const starts = device === 'wasm' || device === 'cpu' || (await probeDevice(device)).works
  const suite = lawsOfBackend({
    name: `${tfjs.definition.name} (${device})${starts ? '' : ', which does not start'}`,
    create: async () => (await openBackend([device])).backend,
    tolerance: 2e-5,
    claims: tfjs.definition.capabilities,
  })
  const whole = { ...suite, laws: [...suite.laws, tensorsAreExplained(device)] }
  // One failure that says what is missing, instead of one in each law.
  return starts ? whole : { ...suite, laws: suite.laws.filter((law) => law.name === 'backend/device') }
}
