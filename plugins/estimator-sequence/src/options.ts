import { z } from 'zod'
import { baselineNames } from './baselines.js'

export const sequenceOptions = z.strictObject({
  baseline: z
    .enum(baselineNames)
    .default('leave-one-out')
    .describe(
      'what is taken off the reward of a completion: none; moving-average (of earlier batches); leave-one-out (RLOO: mean of the others of its prompt); group-mean (Dr. GRPO); group-std (GRPO: over the standard deviation of its prompt too); batch-std (over that of the batch); default leave-one-out',
    ),
  normalizeAdvantages: z
    .boolean()
    .default(false)
    .describe(
      'shift and scale the advantages of a batch to mean 0 and standard deviation 1 over its completions (TRL’s normalize_advantages); default false',
    ),
})
export type SequenceOptions = z.output<typeof sequenceOptions>
