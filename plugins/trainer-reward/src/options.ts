import { trainingShape } from '@collimate/core'
import { z } from 'zod'

/** Options of the loss: what the objective `reward` is registered with. */
export const rewardLossShape = {
  centerRewardsCoefficient: z
    .number()
    .nonnegative()
    .default(0)
    .describe(
      'Weight of (r_w + r_l)², which pulls rewards towards a mean of 0 (arXiv 2312.09244, there 0.01); default 0.',
    ),
}

export const rewardLossOptions = z.strictObject(rewardLossShape)
export type RewardLossOptions = z.output<typeof rewardLossOptions>

/** TRL's defaults of RewardConfig where they differ from those that all trainers share: pairs that are too long are left out. */
export const rewardDefaults = { learningRate: 1e-4, truncation: 'drop' } as const

export const rewardOptions = z.strictObject({
  ...trainingShape(rewardDefaults),
  ...rewardLossShape,
  normalise: z
    .boolean()
    .default(true)
    .describe(
      'Save mean and standard deviation of the rewards of up to 512 pairs (held out, else trained on) with the model, so that a reward source can bring them to 0 and 1; default true.',
    ),
})
export type RewardOptions = z.output<typeof rewardOptions>
