import { totalmem } from 'node:os'
import { modelHeads } from '@collimate/models'
import { z } from 'zod'
import { isLossScale } from './loss-scale.js'

export const MEBIBYTE = 2 ** 20

/** A thirty-second of the memory that the process may use, MiB: PPO has four models. */
function defaultProgramMemory(): number {
  const allowed = process.constrainedMemory()
  const bytes = allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
  return Math.max(1, Math.floor(bytes / 32 / MEBIBYTE))
}

/** Options of the plugin; exactly one of `model` and `create` says where the model comes from. */
export const options = z
  .strictObject({
    model: z.string().min(1).optional().describe('Folder of a model as transformers writes it; or give `create`.'),
    create: z
      .strictObject({
        config: z
          .record(z.string(), z.unknown())
          .describe('Content of a config.json: `model_type` and the sizes of the architecture.'),
        tokenizer: z
          .string()
          .min(1)
          .optional()
          .describe('Folder with a tokenizer.json, or the file itself; default none.'),
        seed: z.int().min(0).optional().describe('Seed of the initial weights; default the seed of the experiment.'),
      })
      .optional()
      .describe('A new model with random weights.'),
    head: z
      .enum(['auto', ...modelHeads])
      .default('auto')
      .describe(
        'What stands on the trunk: `language` (samples and scores tokens), `score` (one number: a reward model or critic) or `language+score`; default `auto`, what config.json says.',
      ),
    decodeBatchSize: z.int().min(1).max(4096).default(64).describe('Completions decoded together; default 64.'),
    freezeDecoding: z
      .boolean()
      .default(true)
      .describe(
        'Build the weights into decoding programs where enough steps are expected: faster, takes their memory again; default true.',
      ),
    lossScale: z
      .union([z.literal('auto'), z.number().refine(isLossScale, { error: 'not a power of two from 1 to 2^24' })])
      .default('auto')
      .describe(
        'Multiplies the loss before it is differentiated, so that small gradients do not vanish in float16: a power of two from 1 to 2^24; default `auto`, which follows the gradients where the backend has precision float16, and is 1 elsewhere.',
      ),
    programMemory: z
      .number()
      .positive()
      .default(defaultProgramMemory())
      .describe(
        'MiB that compiled programs may hold between runs beside the largest, by estimate; default a thirty-second of the memory.',
      ),
  })
  .refine(({ model, create }) => (model === undefined) !== (create === undefined), {
    error: 'give exactly one of `model` (a folder) and `create` (a new model)',
    path: ['model'],
  })

export type Options = z.output<typeof options>
