import type { ObjectiveUse } from '@collimate/core'
import type { ReinforceLossOptions } from './loss-options.js'
import type { ReinforceOptions } from './options.js'

/** The objective that a trainer's updates name: with a KL where that is in the loss. */
export function lossOf(options: ReinforceOptions): ObjectiveUse & { readonly options: ReinforceLossOptions } {
  const { lossType, importanceSamplingLevel, cliprange, cliprangeHigh, maxNewTokens } = options
  const { beta, klIn, klEstimator = 'k2', klRatio = false } = options
  const kl = klIn === 'loss' ? { beta, klEstimator, klRatio } : { beta: 0, klEstimator: 'k2' as const, klRatio: false }
  return {
    use: 'reinforce',
    options: {
      ...{ lossType, importanceSamplingLevel, cliprange, ...kl, maxCompletionLength: maxNewTokens },
      ...(cliprangeHigh !== undefined && { cliprangeHigh }),
    },
  }
}
