import { rolloutShape } from '@collimate/rollouts'
import { z } from 'zod'
import { lossShape } from './loss-options.js'

/** TRL's defaults of PPOConfig where they differ from those that all trainers share. */
export const ppoDefaults = { learningRate: 3e-6, numGenerations: 1, temperature: 0.7 }

/** The critic's rate over the policy's where none is given: that of verl, 1e-5 to 1e-6. */
export const criticRateFactor = 10

/** Completions in which an adaptive β moves by a fifth at most: that of TRL 0.x, verl and OpenRLHF. */
export const defaultKlHorizon = 10_000

export const ppoOptions = z.strictObject({
  ...rolloutShape(ppoDefaults),
  ...lossShape,
  beta: z
    .number()
    .nonnegative()
    .default(0.05)
    .describe('β, reward that a token costs per nat of KL to the reference; default 0.05'),
  klEstimator: z
    .enum(['k1', 'k3'])
    .default('k1')
    .describe('estimator of the KL of a token: k1 is log π/π_ref, k3 is never negative; default k1'),
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
  criticLearningRate: z
    .number()
    .nonnegative()
    .optional()
    .describe(`peak learning rate of a separate critic; default ${criticRateFactor} times learningRate`),
  criticWarmupSteps: z
    .int()
    .nonnegative()
    .default(0)
    .describe('first steps in which a separate critic learns and the policy does not; default 0'),
  numPpoEpochs: z.int().positive().default(4).describe('passes over the rollouts of a step; default 4'),
  numMiniBatches: z
    .int()
    .positive()
    .default(1)
    .describe('optimiser steps of a pass, each on its share of the prompts; default 1'),
  targetKl: z
    .number()
    .positive()
    .optional()
    .describe('no further pass once policy/approxkl_avg of one, nats per token, is above it; default none'),
  whitenRewards: z
    .boolean()
    .default(false)
    .describe('scale the rewards of all tokens of a step to variance 1, the mean is kept; default false'),
  bootstrapTruncated: z
    .boolean()
    .default(false)
    .describe(
      'what a completion that was cut would still have earned is the value of where it was cut, in place of its score; default false: the cut is the end',
    ),
  maxLoss: z
    .number()
    .positive()
    .default(1e6)
    .describe('policy or value loss beyond which the run stops as diverged; default 1000000'),
})
export type PpoOptions = z.output<typeof ppoOptions>
