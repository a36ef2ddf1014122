import { CollimateError } from '@collimate/core'
import type { ForestBatch, Objective, UpdateRequest } from '@collimate/core'
import { checkBatch, checkObjectiveInputs, type ModelSize } from './check-batch.js'
import { countUnits, type TermDescription } from './count-units.js'

/** Refuses micro-batches that an update cannot be made of: COLLIMATE_UPDATE_INVALID, and as `checkBatch`. */
export function checkBatches(batches: readonly ForestBatch[], objective: Objective, model: ModelSize): void {
  if (batches.length === 0) throw invalid('it has no micro-batch')
  if (objective.coupled && batches.length > 1)
    throw invalid(`the units of objective ${objective.name} depend on each other: its batch cannot be split`)
  for (const batch of batches) {
    checkBatch(batch, model)
    checkObjectiveInputs(batch, objective)
  }
}

/** Refuses a temperature that log-probabilities cannot have (COLLIMATE_TEMPERATURE_INVALID). */
export function checkTemperature(temperature: number): void {
  if (temperature > 0 && Number.isFinite(temperature)) return
  throw new CollimateError('COLLIMATE_TEMPERATURE_INVALID', `temperature ${temperature} must be a positive number`, {
    hint: 'greedy sampling (temperature 0) has no log-probabilities; use 1 to score it',
  })
}

/** Refuses settings of an optimiser step that are out of range (COLLIMATE_UPDATE_INVALID). */
export function checkUpdate({
  optimizer,
  learningRate,
  maxGradNorm,
}: Pick<UpdateRequest, 'optimizer' | 'learningRate' | 'maxGradNorm'>): void {
  const { beta1, beta2, epsilon, weightDecay } = optimizer
  const from0 = (value: number) => value >= 0 && value < Infinity
  const checks: readonly (readonly [string, number, boolean, string])[] = [
    ['learningRate', learningRate, from0(learningRate), 'a number from 0'],
    ['maxGradNorm', maxGradNorm, from0(maxGradNorm), 'a number from 0 (0 = no clipping)'],
    ['optimizer.beta1', beta1, from0(beta1) && beta1 < 1, 'in [0, 1)'],
    ['optimizer.beta2', beta2, from0(beta2) && beta2 < 1, 'in [0, 1)'],
    ['optimizer.epsilon', epsilon, from0(epsilon) && epsilon > 0, 'a number above 0'],
    ['optimizer.weightDecay', weightDecay, from0(weightDecay), 'a number from 0'],
  ]
  for (const [field, value, good, expected] of checks)
    if (!good) throw invalid(`${field} is ${value}, expected ${expected}`)
}

/** An update in which no loss term has a unit would be a step of weight decay alone: COLLIMATE_UPDATE_EMPTY. */
export function requireUnits(terms: readonly TermDescription[], batches: readonly ForestBatch[]): void {
  if (terms.some((term) => batches.some((batch) => countUnits(batch, term) > 0))) return
  throw new CollimateError('COLLIMATE_UPDATE_EMPTY', 'no scored token or sequence in any of the micro-batches', {
    hint: 'Drop examples without a completion, or raise the length limit that cuts completions away.',
  })
}

/** Refuses a loss or norm that is NaN or infinite (COLLIMATE_NOT_FINITE). */
export function requireFinite(what: string, value: number, hint = extremeValue): void {
  if (Number.isFinite(value)) return
  throw new CollimateError('COLLIMATE_NOT_FINITE', `the ${what} is ${value}; the weights were not changed`, { hint })
}

const extremeValue =
  'Lower the learning rate, or look for an extreme value in this batch; with precision float16 a product above 65504 is one.'

function invalid(problem: string): CollimateError {
  return new CollimateError('COLLIMATE_UPDATE_INVALID', `update: ${problem}`)
}
