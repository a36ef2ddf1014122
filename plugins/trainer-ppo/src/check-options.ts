import { CollimateError } from '@collimate/core'
import type { PpoOptions } from './options.js'

/** Refuses options that exclude each other, or that nothing would read: COLLIMATE_OPTION_CONFLICT. */
export function checkOptions(options: PpoOptions): void {
  const { critic, criticLearningRate, criticWarmupSteps, klTarget, klHorizon, beta } = options
  if (critic === 'shared') {
    if (criticLearningRate !== undefined)
      throw conflict('criticLearningRate', criticLearningRate, 'a shared critic learns with the policy', 'leave it out')
    if (criticWarmupSteps > 0)
      throw conflict('criticWarmupSteps', criticWarmupSteps, 'a shared critic learns with the policy', 'leave it out')
  }
  if (klHorizon !== undefined && klTarget === undefined)
    throw conflict('klHorizon', klHorizon, 'there is no klTarget to steer β towards', 'give klTarget, or leave it out')
  if (klTarget !== undefined && beta === 0)
    throw conflict('klTarget', klTarget, 'beta is 0, and no factor changes that', 'give a beta above 0 to begin with')
  if (options.numMiniBatches > options.batchSize)
    throw conflict(
      'numMiniBatches',
      options.numMiniBatches,
      `a step has ${options.batchSize} prompts, and each mini-batch needs one`,
      'lower it, or raise batchSize',
    )
  if (options.bootstrapTruncated) {
    const why = 'with bootstrapTruncated a completion that was cut'
    if (options.missingEosPenalty > 0)
      throw conflict('missingEosPenalty', options.missingEosPenalty, `${why} has no score`, 'take one of the two')
    if (options.maskTruncatedCompletions)
      throw conflict('maskTruncatedCompletions', true, `${why} is learnt from`, 'take one of the two')
  }
}

function conflict(option: string, value: unknown, why: string, hint: string): CollimateError {
  return new CollimateError('COLLIMATE_OPTION_CONFLICT', `option "${option}" is ${String(value)}, but ${why}`, { hint })
}
