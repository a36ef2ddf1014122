import type { Measurement } from '@collimate/core'
import { constant, evaluate } from '@collimate/graph'
import { bootstrapAround } from './bootstrap-around.js'
import { calibrationMeasurements, predictionOf } from './calibration.js'
import type { Prediction } from './calibration.js'
import { extremes } from './measure-pairs.js'
import { stepLoss } from './process-objective.js'
import type { ScoredStep } from './score-steps.js'

/** What the model says of whether a step is right: P(right) = σ(value). */
export const stepPredictions = (steps: readonly ScoredStep[]): Prediction[] =>
  steps.map(({ value, label }) => predictionOf(label === 1 ? value : -value))

/**
 * What the values at held-out steps say of a process reward model, with 95 % intervals from the bootstrap over rows, since
 * the steps of one answer are no independent sample. A step is judged right where its value is above 0.
 */
export function measureSteps(rows: readonly (readonly ScoredStep[])[], seed: number): Record<string, Measurement> {
  const all = rows.flat()
  /** The mean over the steps of the rows that are drawn, of a number for each step. */
  const meanOf = (perStep: ArrayLike<number>, least?: number): Measurement => {
    let step = 0
    const sums = rows.map((row) => row.reduce((sum) => sum + perStep[step++], 0))
    const statistic = (indices: Int32Array): number => {
      let [total, count] = [0, 0]
      for (const i of indices) [total, count] = [total + sums[i], count + rows[i].length]
      return total / Math.max(1, count)
    }
    return { ...bootstrapAround(rows.length, statistic, seed, least), count: all.length }
  }
  const values = all.map(({ value }) => value)
  const losses = evaluate(stepLoss(constant(values), constant(all.map(({ label }) => label))), {}).data
  const isRight = ({ value, label }: ScoredStep): number => Number((value > 0 ? 1 : 0) === label)
  return {
    eval_loss: meanOf(losses, 0),
    eval_accuracy: meanOf(all.map(isRight), 0),
    eval_mean_reward: meanOf(values),
    ...extremes(values),
    ...calibrationMeasurements(rows.map(stepPredictions), seed),
  }
}
