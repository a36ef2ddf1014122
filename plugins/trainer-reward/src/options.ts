import { CollimateError, trainingShape } from '@collimate/core'
import { z } from 'zod'

/** Options of the loss of pairs: what the objective `reward` is registered with. */
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
  supervision: z
    .enum(['outcome', 'process'])
    .default('outcome')
    .describe(
      'What is judged: whole answers, by pairs of them (outcome), or each step of an answer, by labels (process); default outcome.',
    ),
  stepSeparator: z
    .string()
    .min(1)
    .optional()
    .describe('With process: what is written behind each step, whose last token is read; default a line break.'),
  normalise: z
    .boolean()
    .optional()
    .describe(
      'With outcome: save mean and standard deviation of the rewards of up to 512 pairs (held out, else trained on) with the model, so that a reward source can bring them to 0 and 1; default true.',
    ),
})
export type RewardOptions = z.output<typeof rewardOptions>

/** Refuses options that the kind of supervision would ignore: COLLIMATE_OPTION_CONFLICT. */
export function checkSupervision(options: RewardOptions): void {
  const { supervision, centerRewardsCoefficient, normalise, stepSeparator } = options
  const others =
    supervision === 'process'
      ? { centerRewardsCoefficient: centerRewardsCoefficient || undefined, normalise }
      : { stepSeparator }
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined) continue
    throw new CollimateError(
      'COLLIMATE_OPTION_CONFLICT',
      `option "${name}" (${JSON.stringify(value)}): supervision "${supervision}" does not use it`,
      { hint: `remove it, or set supervision to ${supervision === 'process' ? 'outcome' : 'process'}` },
    )
  }
}
