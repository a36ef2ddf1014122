/**
 * Learning-rate schedules, by the definitions of transformers (`optimization.py`): linear warm-up from 0, then
 * linear to 0, half a cosine to 0 (Loshchilov and Hutter, arXiv 1608.03983), or constant.
 */
export const schedules = ['linear', 'cosine', 'constant'] as const
export type Schedule = (typeof schedules)[number]

export interface LearningRatePlan {
  readonly learningRate: number
  readonly schedule: Schedule
  /** Optimiser steps of warm-up. With warm-up the first step has rate 0. */
  readonly warmupSteps: number
  readonly totalSteps: number
}

/** The rate that optimiser step `step` (from 0) uses. */
export function learningRateAt(plan: LearningRatePlan, step: number): number {
  const { learningRate, schedule, warmupSteps, totalSteps } = plan
  if (step < warmupSteps) return (learningRate * step) / Math.max(1, warmupSteps)
  const decaySteps = Math.max(1, totalSteps - warmupSteps)
  switch (schedule) {
    case 'constant':
      return learningRate
    case 'linear':
      return learningRate * Math.max(0, (totalSteps - step) / decaySteps)
    case 'cosine': {
      const progress = Math.min(1, (step - warmupSteps) / decaySteps)
      return learningRate * 0.5 * (1 + Math.cos(Math.PI * progress))
    }
  }
}
