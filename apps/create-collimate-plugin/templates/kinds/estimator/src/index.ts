import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { rewardToGoEstimator } from './reward-to-go.js'

export { rewardToGo, rewardToGoEstimator } from './reward-to-go.js'
export type { RewardToGoOptions } from './reward-to-go.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  discount: z.number().min(0).max(1).default(1).describe('what a reward is worth one token earlier; default 1'),
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'estimator',
  description: 'Discounted reward to go, minus its mean over the batch',
  options,
  // Claims are promises, and laws check them: returns are the discounted sums of rewards.
  capabilities: { monteCarlo: true },
  create: (chosen) => rewardToGoEstimator(chosen),
})
