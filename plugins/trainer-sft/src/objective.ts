import type { Objective } from '@collimate/core'
import { neg } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/**
 * Negative log-likelihood of the scored tokens, nats, averaged over all tokens of an optimiser step (not over
 * micro-batches): −Σ_t log π(y_t | x, y_<t) / Σ_t 1. TRL's `nll`; a perfect model of a uniform source of V tokens has ln V.
 */
export const sftObjective: Objective<Tensor> = {
  name: 'sft',
  outputs: ['logProbs'],
  inputs: {},
  coupled: false,
  terms: (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens' }],
  metrics: (t) => ({
    entropy: { perUnit: t.entropy, unit: 'tokens' },
    mean_token_accuracy: { perUnit: t.correct, unit: 'tokens' },
  }),
}
