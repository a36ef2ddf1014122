import { trainingPlan, trainingShape } from '@collimate/core'
import type { Sampling, TrainerPlan, TrainingDefaults } from '@collimate/core'
import { z } from 'zod'

/** Where trainers that sample differ. */
export interface RolloutDefaults extends Pick<TrainingDefaults, 'learningRate' | 'batchSize'> {
  readonly numGenerations: number
  readonly temperature: number
}

/** Options of a trainer that samples: those of every trainer, of which a row is a prompt, and those of sampling. */
export function rolloutShape({ numGenerations, temperature, ...training }: RolloutDefaults) {
  const { maxLength: _length, truncation: _truncation, ...shared } = trainingShape(training)
  return {
    ...shared,
    batchSize: shared.batchSize.describe(
      `prompts per step, each with numGenerations completions; default ${training.batchSize ?? 8}`,
    ),
    microBatchSize: shared.microBatchSize.describe(
      'prompts, with their completions, computed at once; changes memory, not the gradient; default batchSize',
    ),
    epochs: shared.epochs.describe('passes over the prompts; not with steps; default 3'),
    steps: shared.steps.describe('steps: one batch of rollouts each; not with epochs; default by epochs'),
    maxPromptLength: z
      .int()
      .positive()
      .nullable()
      .default(null)
      .describe('longest prompt in tokens, of a longer one the end is kept; null = what the model takes; default null'),
    numGenerations: z
      .int()
      .positive()
      .default(numGenerations)
      .describe(`completions sampled for each prompt; default ${numGenerations}`),
    maxNewTokens: z.int().positive().default(512).describe('most tokens of a completion; default 512'),
    temperature: z
      .number()
      .positive()
      .default(temperature)
      .describe(`sampling temperature, for log-probs of policy and reference too; default ${temperature}`),
    topK: z.int().positive().optional().describe('sample among the k most likely tokens; default all'),
    topP: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe('sample among the likeliest tokens that make up this probability; default 1'),
    missingEosPenalty: z
      .number()
      .nonnegative()
      .default(0)
      .describe('taken off the reward of a completion that does not end by itself; default 0'),
    maskTruncatedCompletions: z
      .boolean()
      .default(false)
      .describe('learn nothing from completions that do not end by themselves; default false'),
    evalPrompts: z
      .int()
      .nonnegative()
      .default(100)
      .describe(
        'most held-out prompts that the trainer itself answers at an evaluation; 0 = none, where an evaluator does; default 100',
      ),
    maxKl: z
      .number()
      .positive()
      .default(100)
      .describe('KL to the reference per completion, nats, beyond which the run stops as diverged; default 100'),
  }
}

export type RolloutOptions = z.output<z.ZodObject<ReturnType<typeof rolloutShape>>>

/** The plan of a trainer that samples. */
export function rolloutPlan(
  options: RolloutOptions,
  defaults: RolloutDefaults,
): Pick<TrainerPlan, 'dataset' | 'data' | 'batchSize' | 'length' | 'shuffle' | 'guarded'> {
  const { maxPromptLength } = options
  return {
    ...trainingPlan({ ...options, maxLength: maxPromptLength, truncation: 'keep_end' }, defaults),
    ...{ dataset: 'prompt-only', guarded: true },
  }
}

export function samplingOptions(options: RolloutOptions, seed: number): Sampling {
  const { maxNewTokens, temperature, topK, topP } = options
  return { maxNewTokens, temperature, seed, ...(topK !== undefined && { topK }), ...(topP < 1 && { topP }) }
}
