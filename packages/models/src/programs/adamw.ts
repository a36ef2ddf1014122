import type { AdamWOptions } from '@collimate/core'
import { add, div, input, mul, program, sqrt, square, sub, sum, type Program, type Shape } from '@collimate/graph'
import { firstMomentName, gradientName, secondMomentName } from './parameters.js'

/** Parameters to train, by name; `decay`: weight decay touches it. */
export type TrainedParameters = Readonly<Record<string, { readonly shape: Shape; readonly decay: boolean }>>

/**
 * L2 norm of the whole gradient: reads the states `grad.NAME`, output `gradNorm` (scalar). Run before the update, so that a
 * gradient that is not finite is found before anything changes.
 */
export function gradientNormProgram(parameters: TrainedParameters): Program {
  const squares = Object.entries(parameters).map(([name, { shape }]) =>
    sum(square(input(gradientName(name), shape, 'float', 'state'))),
  )
  return program({
    name: 'gradient norm',
    outputs: { gradNorm: sqrt(squares.reduce((total, part) => add(total, part))) },
  })
}

/** Factor that clips a gradient of this norm to `maxGradNorm`; 1 where that is 0 (torch.nn.utils.clip_grad_norm_). */
export function clipScale(gradNorm: number, maxGradNorm: number): number {
  return maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradNorm + 1e-6)) : 1
}

export interface AdamWStep {
  readonly optimizer: AdamWOptions
  readonly learningRate: number
  /** Optimiser steps including this one, from 1. */
  readonly step: number
  /** Of the loss's own gradient. */
  readonly gradNorm: number
  readonly maxGradNorm: number
  /** What the gradient in the states is multiplied by; default 1. */
  readonly lossScale?: number
}

/** Feeds of the AdamW program for one step. */
export function adamwFeeds({
  optimizer,
  learningRate,
  step,
  gradNorm,
  maxGradNorm,
  lossScale = 1,
}: AdamWStep): Record<string, Float64Array> {
  return {
    learningRate: Float64Array.of(learningRate),
    gradientScale: Float64Array.of(clipScale(gradNorm, maxGradNorm) / lossScale),
    biasCorrection1: Float64Array.of(1 - optimizer.beta1 ** step),
    biasCorrection2: Float64Array.of(1 - optimizer.beta2 ** step),
  }
}

/**
 * One step of AdamW (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2, with the learning rate as schedule multiplier
 * of the decay too, as in PyTorch), for each parameter p with gradient g = gradientScale · grad.NAME:
 *
 *   m ← β1 m + (1 − β1) g,  v ← β2 v + (1 − β2) g²,
 *   p ← p − η λ p − η (m / c1) / (√(v / c2) + ε),  λ = 0 where there is no decay.
 *
 * Feeds (scalars, `adamwFeeds`): learningRate η, gradientScale, biasCorrection1 c1 = 1 − β1^t, biasCorrection2 c2.
 * States: NAME, grad.NAME, adam.m.NAME, adam.v.NAME; all but the gradient are updated. No outputs.
 * Elementwise over each parameter with scalar operands only, so that a backend can run it as one pass over memory.
 */
export function adamwProgram(
  parameters: TrainedParameters,
  { beta1, beta2, epsilon, weightDecay }: AdamWOptions,
): Program {
  const learningRate = input('learningRate', [])
  const gradientScale = input('gradientScale', [])
  const stepSize = div(learningRate, input('biasCorrection1', []))
  const inverseCorrection2 = div(1, input('biasCorrection2', []))
  const shrink = sub(1, mul(learningRate, weightDecay))
  const updates = Object.entries(parameters).flatMap(([name, { shape, decay }]) => {
    const state = (stateName: string) => input(stateName, shape, 'float', 'state')
    const weight = state(name)
    const first = state(firstMomentName(name))
    const second = state(secondMomentName(name))
    const gradient = mul(state(gradientName(name)), gradientScale)
    const m = add(mul(first, beta1), mul(gradient, 1 - beta1))
    const v = add(mul(second, beta2), mul(square(gradient), 1 - beta2))
    const kept = decay && weightDecay > 0 ? mul(weight, shrink) : weight
    const step = div(mul(m, stepSize), add(sqrt(mul(v, inverseCorrection2)), epsilon))
    return [
      { state: first, value: m },
      { state: second, value: v },
      { state: weight, value: sub(kept, step) },
    ]
  })
  return program({ name: 'adamw', outputs: {}, updates })
}
