import { z } from 'zod'

export const winRateOptions = z.strictObject({
  prompts: z.int().positive().default(128).describe('Most held-out prompts to answer; default 128.'),
  maxNewTokens: z.int().positive().default(64).describe('Most tokens of an answer; default 64.'),
  temperature: z.number().min(0).default(1).describe('Sampling temperature, 0 = greedy; default 1.'),
  topP: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Smallest probability mass to sample from; default 1 = all tokens.'),
  samples: z.int().min(0).default(4).describe('Prompts shown with both answers; default 4.'),
  seed: z
    .int()
    .min(0)
    .optional()
    .describe('Seed of sampling and of the intervals; default the seed of the experiment.'),
})
export type WinRateOptions = z.output<typeof winRateOptions>
