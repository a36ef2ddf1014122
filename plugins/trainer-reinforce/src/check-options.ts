import { CollimateError } from '@collimate/core'
import type { ReinforceLossOptions } from './loss-options.js'
import type { ReinforceOptions } from './options.js'

/** Refuses a KL in the loss that penalises nothing: COLLIMATE_OPTION_CONFLICT. */
export function checkLoss({ beta, klEstimator, klRatio }: ReinforceLossOptions): void {
  if (beta > 0 && klEstimator === 'k1' && !klRatio)
    throw conflict('klEstimator', 'k1', 'its expected gradient in the loss is 0, so that it penalises nothing', [
      'take k2, or set klRatio; in the reward (klIn: reward) k1 is right',
    ])
}

/** Refuses options that exclude each other, or that nothing would read: COLLIMATE_OPTION_CONFLICT. */
export function checkOptions(options: ReinforceOptions): void {
  const { beta, klIn, klEstimator, klRatio, klTarget, klHorizon, numMiniBatches, batchSize } = options
  if (klIn === 'reward') {
    if (klEstimator !== undefined && klEstimator !== 'k1')
      throw conflict('klEstimator', klEstimator, 'as a reward it has not the gradient of the KL, k1 has', [
        'leave it out, or set klIn to loss',
      ])
    if (klRatio !== undefined)
      throw conflict('klRatio', klRatio, 'the KL in the reward has no ratio', ['leave it out, or set klIn to loss'])
  }
  for (const [name, value] of Object.entries({ klEstimator, klRatio, klTarget }))
    if (beta === 0 && value !== undefined)
      throw conflict(name, value, 'beta is 0: no KL is penalised', ['leave it out, or give a beta above 0'])
  if (klHorizon !== undefined && klTarget === undefined)
    throw conflict('klHorizon', klHorizon, 'there is no klTarget to steer β towards', [
      'give klTarget, or leave it out',
    ])
  if (klTarget !== undefined && klIn === 'loss')
    throw conflict('klTarget', klTarget, 'the β of a KL in the loss stays as it is', ['set klIn to reward'])
  if (numMiniBatches > batchSize)
    throw conflict('numMiniBatches', numMiniBatches, `a step has ${batchSize} prompts, each mini-batch needs one`, [
      'lower it, or raise batchSize',
    ])
}

function conflict(option: string, value: unknown, why: string, [hint]: readonly [string]): CollimateError {
  return new CollimateError('COLLIMATE_OPTION_CONFLICT', `option "${option}" is ${String(value)}, but ${why}`, { hint })
}
