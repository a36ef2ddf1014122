import { CollimateError } from '@collimate/core'
import type { LawSuite } from '@collimate/laws'
import { devices } from './devices.js'
import { suiteOn } from './laws/suite-on.js'

/**
 * The laws of backends, in float32: on WebAssembly and in plain JavaScript, which every machine has, and on each device
 * that the environment variable COLLIMATE_TFJS_DEVICES names, e.g. `node,node-gpu`.
 */
export default async function laws(): Promise<LawSuite[]> {
  const { COLLIMATE_TFJS_DEVICES: named = '' } = process.env
  const wanted = new Set(['wasm', 'cpu', ...named.split(',').map((name) => name.trim())])
  wanted.delete('')
  const suites: LawSuite[] = []
  for (const name of wanted) {
    const device = devices.find((known) => known === name)
    if (!device) {
      throw new CollimateError('COLLIMATE_OPTION_INVALID', `COLLIMATE_TFJS_DEVICES names ${name}`, {
        hint: `it is a list of ${devices.join(', ')}`,
      })
    }
    suites.push(await suiteOn(device))
  }
  return suites
}
