import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { createInterpreterBackend } from './backend.js'

export { createInterpreterBackend } from './backend.js'

/** Runs tensor programs in float64 JavaScript, in the caller's thread: the judge of the other backends. */
export const interpreter = definePlugin({
  name: 'interpreter',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'backend',
  description: 'Exact and slow: float64 JavaScript without dependencies, for tests and tiny models',
  options: z.strictObject({}),
  capabilities: { precision: 'float64', devices: ['cpu'] },
  create: () => createInterpreterBackend(),
})

export default interpreter
