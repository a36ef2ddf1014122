import type { Objective } from '@collimate/core'
import { expm1, mul, neg, pow, type Tensor } from '@collimate/graph'

export interface FocalOptions {
  readonly gamma: number
}

/**
 * Focal loss of each scored token, −(1 − p)^gamma · log p (Lin et al., arXiv 1708.02002, equation 4): what the model already
 * knows well counts less. gamma 0 is the negative log-likelihood.
 *
 * An objective is written on symbolic tensors (`@collimate/graph`), so that it can be differentiated and run on every backend. It
 * gives one value per unit, here per token [T]; masking, summing and dividing are the model's.
 */
export function focalObjective({ gamma }: FocalOptions): Objective<Tensor> {
  return {
    name: '__name__',
    outputs: ['logProbs'],
    inputs: {},
    // True for a loss whose value for one unit depends on the others of its batch: such a batch cannot be split.
    coupled: false,
    terms(t) {
      const likelihood = neg(t.logProbs)
      // 1 − p as −expm1(log p): exact also where p is close to 1.
      const perUnit = gamma === 0 ? likelihood : mul(pow(neg(expm1(t.logProbs)), gamma), likelihood)
      return [{ perUnit, unit: 'tokens' }]
    },
    metrics: (t) => ({ mean_token_accuracy: { perUnit: t.correct, unit: 'tokens' } }),
  }
}
