import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { lengthReward } from './reward.js'

export { lengthReward, lengthScore } from './reward.js'
export type { LengthOptions } from './reward.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  target: z.int().positive().default(20).describe('length that is rewarded most, in `unit`s; default 20'),
  unit: z.enum(['words', 'characters']).default('words').describe('what the length is counted in; default words'),
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'reward',
  description: 'Prefers answers of a given length',
  options,
  // Claims are promises, and laws check them: a claim without a law fails.
  capabilities: { deterministic: true, granularity: 'sequence', bounded: [-1, 0] },
  create: (chosen) => lengthReward(chosen),
})
