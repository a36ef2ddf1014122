import { z } from 'zod'

export const bradleyTerryOptions = z.strictObject({
  model: z.string().min(1).describe('Folder of the reward model: a sequence-classification model with one label.'),
  microBatchSize: z
    .int()
    .positive()
    .default(8)
    .describe('Prompts, with their completions, scored at once; changes memory, not scores; default 8.'),
  maxLength: z
    .int()
    .min(2)
    .optional()
    .describe(
      'Longest prompt + completion in tokens; of a longer one the end is kept, completions before prompts; default what the model takes.',
    ),
  normalise: z
    .boolean()
    .default(true)
    .describe('Bring scores to the mean 0 and deviation 1 that the model was saved with, where it was; default true.'),
  retokenise: z
    .boolean()
    .default(false)
    .describe(
      'Tokenise the texts anew with the tokenizer of the reward model, which may then differ from that of the policy; default false.',
    ),
  modelPlugin: z.string().min(1).default('transformer').describe('Plugin that loads the model; default transformer.'),
})
export type BradleyTerryOptions = z.output<typeof bradleyTerryOptions>
