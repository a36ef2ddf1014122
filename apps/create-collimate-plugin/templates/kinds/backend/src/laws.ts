import { createBus } from '@collimate/core'
import { lawsOfBackend, type LawSuite } from '@collimate/laws'
import plugin, { createBackend, options } from './index.js'

/** The laws of this plugin: every op against the interpreter, updates, refusals, and what is alive. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfBackend({
      name: '__name__',
      create: async () => createBackend(options.parse({}), createBus()),
      // Largest relative error of a value: about 1e-9 for float64, 2e-5 for float32.
      tolerance: 1e-9,
      claims: plugin.definition.capabilities,
    }),
  ]
}
