import { trainingShape } from '@collimate/core'
import { z } from 'zod'
import { divergenceNames } from './divergences.js'
import { lossNames } from './losses.js'

/** Options of the DPO loss: what the objective `dpo` is registered with. */
export const dpoLossShape = {
  loss: z
    .enum(lossNames)
    .default('sigmoid')
    .describe(
      'Loss of a pair, by TRL’s names; default sigmoid (arXiv 2305.18290). ipo averages over the tokens of an answer as TRL does, ipo_sum adds them up as the paper does; aot and aot_unpaired sort over the batch, which cannot be split.',
    ),
  beta: z
    .number()
    .positive()
    .default(0.1)
    .describe('Strength of the pull towards the reference, per nat; default 0.1. Greater stays nearer.'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(0.5)
    .default(0)
    .describe(
      'Share of the labels taken to be flipped, 0 to below 0.5; default 0. With sigmoid it is conservative DPO; robust, aot and aot_unpaired have it too, exo_pair needs it above 0.',
    ),
  fDivergenceType: z
    .enum(divergenceNames)
    .default('reverse_kl')
    .describe('Divergence from the reference that is held down (arXiv 2309.16240); default reverse_kl.'),
  fAlphaDivergenceCoef: z
    .number()
    .optional()
    .describe('α of alpha_divergence: 1 is reverse_kl, 0 is forward_kl; default 0.5.'),
  discopopTau: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe('Temperature τ of discopop’s blend, above 0 to 1; default 0.05.'),
}

export const dpoLossOptions = z.strictObject(dpoLossShape)
export type DpoLossOptions = z.output<typeof dpoLossOptions>

/** TRL's defaults of DPOConfig where they differ from those that all trainers share. */
export const dpoDefaults = { learningRate: 1e-6 }

export const dpoOptions = z.strictObject({ ...trainingShape(dpoDefaults), ...dpoLossShape })
export type DpoOptions = z.output<typeof dpoOptions>

/** The options of the loss among those of the trainer. */
export function lossOptionsOf(options: DpoOptions): DpoLossOptions {
  const names = Object.keys(dpoLossShape) as (keyof DpoLossOptions)[]
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as unknown as DpoLossOptions
}
