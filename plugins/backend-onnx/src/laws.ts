import { lawsOfBackend, type LawSuite } from '@collimate/laws'
import { createBackend } from './backend.js'
import { onnx } from './index.js'

const settings = { device: 'cpu', threads: 2, arena: true, spinning: false } as const

/** The laws of backends, in float32 on the CPU: the device that every machine has. */
export default async function laws(): Promise<LawSuite[]> {
  const { name, capabilities } = onnx.definition
  const create = () => createBackend(settings)
  return [lawsOfBackend({ name: `${name} (cpu)`, create, tolerance: 2e-5, claims: capabilities })]
}
