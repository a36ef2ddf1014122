import type { Objective } from '@collimate/core'
import { neg, type Tensor } from '@collimate/graph'

/**
 * The loss, one value per unit: −log π of every scored token, nats. It never divides or masks: the model divides by the number of
 * units in the whole optimiser step, so that splitting a batch changes nothing.
 */
export const likelihood: Objective<Tensor> = {
  name: '__name__',
  outputs: ['logProbs'],
  inputs: {},
  coupled: false,
  terms: (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens' }],
  metrics: (t) => ({ mean_token_accuracy: { perUnit: t.correct, unit: 'tokens' } }),
}
