import { lawsOfBackend, type LawSuite } from '@collimate/laws'
import { createInterpreterBackend, interpreter } from './index.js'

/** The laws of backends, in float64. */
export default async function laws(): Promise<LawSuite[]> {
  const { name, capabilities } = interpreter.definition
  return [lawsOfBackend({ name, create: createInterpreterBackend, tolerance: 1e-9, claims: capabilities })]
}
