import { z } from 'zod'
import { schedules } from './learning-rate.js'
import type { LearningRatePlan } from './learning-rate.js'
import type { Truncation } from './contracts/data-source.js'
import type { AdamWOptions } from './contracts/model.js'
import type { TrainerPlan } from './contracts/trainer.js'
import { CollimateError } from './errors.js'

/** Where trainers differ in TRL's defaults. */
export interface TrainingDefaults {
  /** Peak learning rate; TRL: 2e-5 for SFT, 1e-6 for DPO. */
  readonly learningRate: number
  /** Passes over the data where neither `epochs` nor `steps` is given; default 3 as in transformers. */
  readonly epochs?: number
  /** Tokens; default 1024. */
  readonly maxLength?: number | null
  /** Default `keep_start`. */
  readonly truncation?: Truncation
  /** Examples per optimiser step; default 8. */
  readonly batchSize?: number
}

/**
 * The options that every trainer shares, as a zod shape to spread into its own: `z.object({ ...trainingShape({
 * learningRate: 1e-6 }), beta: ... })`. Names are TRL's in camel case, defaults those of transformers and TRL.
 */
export function trainingShape(defaults: TrainingDefaults) {
  const { learningRate, epochs = 3, maxLength = 1024, truncation = 'keep_start', batchSize = 8 } = defaults
  const described = <Schema extends z.ZodType>(schema: Schema, text: string, value: unknown): Schema =>
    schema.describe(`${text}; default ${value === null ? 'none' : String(value)}`)
  const count = z.int().positive()
  return {
    learningRate: described(z.number().nonnegative().default(learningRate), 'peak learning rate', learningRate),
    schedule: described(z.enum(schedules).default('linear'), 'how the rate falls after the warm-up', 'linear'),
    warmupSteps: described(
      z.int().nonnegative().optional(),
      'optimiser steps of linear warm-up; not with warmupRatio',
      0,
    ),
    warmupRatio: described(z.number().min(0).max(1).optional(), 'share of all steps that is warm-up, rounded up', 0),
    weightDecay: described(z.number().nonnegative().default(0), 'decoupled weight decay of matrices', 0),
    beta1: described(z.number().min(0).lt(1).default(0.9), 'Adam: decay of the first moment', 0.9),
    beta2: described(z.number().min(0).lt(1).default(0.999), 'Adam: decay of the second moment', 0.999),
    epsilon: described(z.number().positive().default(1e-8), 'Adam: added to the root of the second moment', 1e-8),
    maxGradNorm: described(
      z.number().nonnegative().default(1),
      'global L2 norm the gradient is clipped to, 0 = off',
      1,
    ),
    batchSize: described(count.default(batchSize), 'examples per optimiser step', batchSize),
    microBatchSize: described(
      count.optional(),
      'examples computed at once; changes memory, not the gradient',
      'batchSize',
    ),
    epochs: described(z.number().positive().optional(), 'passes over the training data; not with steps', epochs),
    steps: described(count.optional(), 'optimiser steps; not with epochs', 'by epochs'),
    maxLength: described(
      z.int().min(2).nullable().default(maxLength),
      'longest prompt + completion in tokens, null = what the model takes',
      maxLength,
    ),
    truncation: described(
      z.enum(['keep_start', 'keep_end', 'drop']).default(truncation),
      'which end of a sequence that is too long is kept, or drop: its row is left out',
      truncation,
    ),
    loggingSteps: described(count.default(10), 'optimiser steps between logged metrics', 10),
    shuffle: described(z.boolean().default(true), 'shuffle the training data in every epoch', true),
  }
}

/** The shared options after parsing. */
export type TrainingOptions = z.output<z.ZodObject<ReturnType<typeof trainingShape>>>

/** The options that go to the plan of a trainer. Refuses what cannot be given together (COLLIMATE_OPTION_CONFLICT). */
export function trainingPlan(
  options: TrainingOptions,
  defaults: TrainingDefaults,
): Pick<TrainerPlan, 'data' | 'batchSize' | 'length' | 'shuffle'> {
  refuseBoth(options, 'steps', 'epochs')
  refuseBoth(options, 'warmupSteps', 'warmupRatio')
  const { steps, epochs = defaults.epochs ?? 3, maxLength, truncation, batchSize, shuffle } = options
  return { data: { maxLength, truncation }, batchSize, length: steps === undefined ? { epochs } : { steps }, shuffle }
}

function refuseBoth(options: TrainingOptions, one: keyof TrainingOptions, other: keyof TrainingOptions): void {
  if (options[one] === undefined || options[other] === undefined) return
  throw new CollimateError(
    'COLLIMATE_OPTION_CONFLICT',
    `options "${one}" (${String(options[one])}) and "${other}" (${String(options[other])}) exclude each other`,
    { hint: 'give one of them' },
  )
}

/** The learning-rate plan of a run of `totalSteps`; a warm-up ratio is rounded up, as in transformers. */
export function learningRatePlan(
  options: Pick<TrainingOptions, 'learningRate' | 'schedule' | 'warmupSteps' | 'warmupRatio'>,
  totalSteps: number,
): LearningRatePlan {
  const { learningRate, schedule, warmupSteps, warmupRatio = 0 } = options
  return { learningRate, schedule, warmupSteps: warmupSteps ?? Math.ceil(warmupRatio * totalSteps), totalSteps }
}

export function adamwOptions(
  options: Pick<TrainingOptions, 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'>,
): AdamWOptions {
  const { beta1, beta2, epsilon, weightDecay } = options
  return { name: 'adamw', beta1, beta2, epsilon, weightDecay }
}
