import { klEstimatorNames, rolloutShape } from '@collimate/rollouts'
import { z } from 'zod'
import { surrogateShape } from './loss-options.js'

/** TRL's defaults of RLOOConfig where they differ from those that all trainers share. */
export const reinforceDefaults = { learningRate: 1e-6, numGenerations: 2, temperature: 1 }

/** Completions in which an adaptive β moves by a fifth at most: that of TRL 0.x, verl and OpenRLHF. */
export const defaultKlHorizon = 10_000

export const reinforceOptions = z.strictObject({
  ...rolloutShape(reinforceDefaults),
  ...surrogateShape,
  beta: z
    .number()
    .nonnegative()
    .default(0.05)
    .describe('β, what a completion costs per nat of KL to the reference; default 0.05'),
  klIn: z
    .enum(['reward', 'loss'])
    .default('reward')
    .describe('where the KL is penalised: in the reward (RLOO, PPO) or in the loss (GRPO); default reward'),
  klEstimator: z
    .enum(klEstimatorNames)
    .optional()
    .describe(
      'estimator of the KL: in the reward k1 alone; in the loss k2, whose gradient is that of KL(π ‖ π_ref), k3, whose gradient is that of KL(π_ref ‖ π), or with klRatio any; default k1 in the reward, k2 in the loss',
    ),
  klRatio: z
    .boolean()
    .optional()
    .describe(
      'multiply the KL in the loss by the probability ratio, so that k1 and k3 have the gradient of KL(π ‖ π_ref) (TRL’s use_bias_correction_kl); default false',
    ),
  klTarget: z
    .number()
    .positive()
    .optional()
    .describe('KL per completion, nats, that β is steered towards (arXiv 1909.08593); default none: β stays'),
  klHorizon: z
    .number()
    .positive()
    .optional()
    .describe(`completions in which β moves by a fifth at most; with klTarget alone; default ${defaultKlHorizon}`),
  baselineDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9)
    .describe('share of its past that the moving mean of rewards keeps at each step; default 0.9'),
  numIterations: z.int().positive().default(1).describe('passes over the rollouts of a step; default 1'),
  numMiniBatches: z
    .int()
    .positive()
    .default(1)
    .describe('optimiser steps of a pass, each on its share of the prompts; default 1'),
})
export type ReinforceOptions = z.output<typeof reinforceOptions>
