import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { createBackend } from './backend.js'

export { createBackend } from './backend.js'
export type { BackendOptions } from './backend.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  every: z.int().positive().default(1000).describe('runs between two backend.counted events; default 1000'),
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'backend',
  description: 'Float64 JavaScript that counts the runs of each program',
  options,
  // Claims are promises, and laws check them: a claim without a law fails.
  capabilities: { precision: 'float64', devices: ['cpu'] },
  create: (chosen, { bus }) => createBackend(chosen, bus),
})
