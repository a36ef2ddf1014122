import type { PluginEntry } from '@collimate/core'
import { z } from 'zod'

const entry = z.custom<PluginEntry<'reward'>>(
  (value) => (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null),
  'expected the name of a reward, a file, or { use: name, option: value }',
)
const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'expected letters, digits, ".", "_" and "-"')
  .refine((value) => value !== 'kl', '"kl" is the name of the KL to the reference')

export const rewardsOptions = z.strictObject({
  rewards: z
    .record(name, entry)
    .default({})
    .describe(
      'rewards to measure by name, each as an experiment names one, e.g. { gold: ./gold.ts }; metric eval_NAME; the reward of the experiment is measured as `reward` too, unless that name is given here; default none',
    ),
  reference: z
    .union([z.string().min(1), z.literal(false)])
    .optional()
    .describe('model folder that the KL is measured to; false = measure none; default the policy before training'),
  during: z.boolean().default(true).describe('Measure at each evaluation during training too; default true.'),
  prompts: z.int().positive().default(128).describe('Most held-out prompts to answer; default 128.'),
  maxNewTokens: z.int().positive().default(64).describe('Most tokens of an answer; default 64.'),
  temperature: z.number().min(0).default(1).describe('Sampling temperature, 0 = greedy; default 1.'),
  topP: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Smallest probability mass to sample from; default 1 = all tokens.'),
  samples: z.int().min(0).default(4).describe('Answers that are shown, with their score; default 4.'),
  seed: z.int().min(0).optional().describe('Seed of the sampling; default the seed of the experiment.'),
})
export type RewardsOptions = z.output<typeof rewardsOptions>
