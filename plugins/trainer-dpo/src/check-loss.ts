import { CollimateError } from '@collimate/core'
import { dpoLosses, lossNames } from './losses.js'
import type { DpoLoss } from './losses.js'
import type { DpoLossOptions, DpoOptions } from './options.js'

/**
 * Refuses options that the loss would ignore, or that it cannot work with: COLLIMATE_OPTION_CONFLICT. TRL ignores the
 * smoothing of `sigmoid` and others in silence.
 */
export function checkLoss(options: DpoLossOptions): void {
  const { loss, labelSmoothing, fDivergenceType, fAlphaDivergenceCoef, discopopTau } = options
  const { smoothing, divergence }: DpoLoss = dpoLosses[loss]
  if (labelSmoothing > 0 && smoothing === 'ignored')
    throw conflict('labelSmoothing', labelSmoothing, `loss "${loss}" does not use it`, [
      `losses with it: ${lossesWith((one) => one.smoothing !== 'ignored')}`,
    ])
  if (labelSmoothing === 0 && smoothing === 'required')
    throw conflict('labelSmoothing', 0, `loss "${loss}" takes its logarithm`, ['give one above 0, such as 0.001'])
  if (fDivergenceType !== 'reverse_kl' && !divergence)
    throw conflict('fDivergenceType', fDivergenceType, `loss "${loss}" reads plain log-ratios`, [
      `losses with it: ${lossesWith((one) => one.divergence)}`,
    ])
  if (fAlphaDivergenceCoef !== undefined && fDivergenceType !== 'alpha_divergence')
    throw conflict('fAlphaDivergenceCoef', fAlphaDivergenceCoef, `fDivergenceType "${fDivergenceType}" has no α`, [
      'leave it out, or set fDivergenceType to alpha_divergence',
    ])
  if (discopopTau !== undefined && loss !== 'discopop')
    throw conflict('discopopTau', discopopTau, `loss "${loss}" does not use it`, ['leave it out'])
}

/** Refuses to split the batch of a loss that sorts over it: COLLIMATE_OPTION_CONFLICT. */
export function checkBatch({ loss, batchSize, microBatchSize = batchSize }: DpoOptions): void {
  const { coupled }: DpoLoss = dpoLosses[loss]
  if (coupled && microBatchSize < batchSize)
    throw conflict('microBatchSize', microBatchSize, `loss "${loss}" sorts over the whole batch of ${batchSize}`, [
      `leave it out, or lower batchSize to what fits into memory`,
    ])
}

const lossesWith = (has: (loss: DpoLoss) => boolean): string =>
  lossNames.filter((name) => has(dpoLosses[name])).join(', ')

function conflict(option: string, value: unknown, why: string, [hint]: [string]): CollimateError {
  return new CollimateError('COLLIMATE_OPTION_CONFLICT', `option "${option}" is ${String(value)}, but ${why}`, { hint })
}
