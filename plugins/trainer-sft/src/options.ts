import { trainingShape } from '@collimate/core'
import { z } from 'zod'

/** TRL's defaults of SFTConfig where they differ from those that all trainers share. */
export const sftDefaults = { learningRate: 2e-5 }

export const sftOptions = z.strictObject({
  ...trainingShape(sftDefaults),
  objective: z
    .union([z.string().min(1), z.looseObject({ use: z.string().min(1) })])
    .default('sft')
    .describe(
      'Loss of the scored tokens: sft is their negative log-likelihood; another is the name of a plugin, or { use: name, option: value }; default sft.',
    ),
  completionOnly: z
    .boolean()
    .default(true)
    .describe('Train on the completion alone, not on its prompt; rows of plain text have no prompt; default true.'),
  packing: z
    .enum(['none', 'bfd'])
    .default('none')
    .describe(
      'bfd: several whole rows in one example of at most maxLength tokens (best-fit decreasing, arXiv 2404.10830), so that batchSize counts packs; default none.',
    ),
})
export type SftOptions = z.output<typeof sftOptions>
