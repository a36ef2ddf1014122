import { devicesToCheck, type LawSuite } from '@collimate/laws'
import { devices } from './devices.js'
import { suiteOn } from './laws/suite-on.js'

/**
 * The laws of backends, in float32: on WebAssembly and in plain JavaScript, which every machine has, and on each device
 * that the environment variable COLLIMATE_TFJS_DEVICES names, e.g. `node,node-gpu`.
 */
export default async function laws(): Promise<LawSuite[]> {
  const { COLLIMATE_TFJS_DEVICES } = process.env
  const suites: LawSuite[] = []
  for (const device of devicesToCheck({ COLLIMATE_TFJS_DEVICES }, { always: ['wasm', 'cpu'], known: devices }))
    suites.push(await suiteOn(device))
  return suites
}
