import { klEstimatorNames } from '@collimate/rollouts'
import { z } from 'zod'

/** How the losses of tokens become that of a batch; `rloo` as TRL's RLOO, the others TRL's GRPO by their names there. */
export const lossTypes = ['rloo', 'grpo', 'bnpo', 'dr_grpo', 'dapo'] as const
export type LossType = (typeof lossTypes)[number]

/** What trainer and objective have in common. */
export const surrogateShape = {
  lossType: z
    .enum(lossTypes)
    .default('rloo')
    .describe(
      'how losses are added up: rloo: summed over a completion, mean over completions (REINFORCE); grpo: mean over the tokens of a completion, mean over completions; dr_grpo: summed and divided by maxNewTokens; bnpo, dapo: mean over all tokens; default rloo',
    ),
  importanceSamplingLevel: z
    .enum(['token', 'sequence'])
    .default('sequence')
    .describe(
      'what has a probability ratio of its own: each token, or the completion (with rloo its product over the tokens, else its geometric mean, GSPO); default sequence',
    ),
  cliprange: z
    .number()
    .positive()
    .lt(1)
    .default(0.2)
    .describe('how far below 1 a probability ratio counts, and above 1 too unless cliprangeHigh says; default 0.2'),
  cliprangeHigh: z
    .number()
    .positive()
    .optional()
    .describe('how far above 1 a probability ratio counts (DAPO: 0.28); default cliprange'),
}

/** Options of the objective `reinforce`. */
export const reinforceLossOptions = z.strictObject({
  ...surrogateShape,
  beta: z.number().nonnegative().default(0).describe('weight of the KL in the loss, per nat; default 0: none'),
  klEstimator: z
    .enum(klEstimatorNames)
    .default('k2')
    .describe('estimator of the KL in the loss; k1 with klRatio alone; default k2'),
  klRatio: z.boolean().default(false).describe('multiply the estimator by the probability ratio; default false'),
  maxCompletionLength: z
    .int()
    .positive()
    .default(512)
    .describe('tokens that dr_grpo divides the sum of a completion by; default 512'),
})
export type ReinforceLossOptions = z.output<typeof reinforceLossOptions>
