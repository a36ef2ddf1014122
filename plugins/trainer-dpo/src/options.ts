import { trainingShape } from '@collimate/core'
import { z } from 'zod'

/** Options of the DPO loss: what the objective `dpo` is registered with. */
export const dpoLossShape = {
  loss: z
    .enum(['sigmoid'])
    .default('sigmoid')
    .describe('Loss of a pair; default sigmoid (Rafailov et al., arXiv 2305.18290).'),
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
    .describe('Share of the labels taken to be flipped, 0 to below 0.5; default 0. Above 0 it is conservative DPO.'),
}

export const dpoLossOptions = z.strictObject(dpoLossShape)
export type DpoLossOptions = z.output<typeof dpoLossOptions>

/** TRL's defaults of DPOConfig where they differ from those that all trainers share. */
export const dpoDefaults = { learningRate: 1e-6 }

export const dpoOptions = z.strictObject({ ...trainingShape(dpoDefaults), ...dpoLossShape })
export type DpoOptions = z.output<typeof dpoOptions>
