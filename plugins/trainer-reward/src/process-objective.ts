import type { Objective } from '@collimate/core'
import { cast, equal, greater, mul, softplus, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/** Binary cross-entropy −y log σ(v) − (1 − y) log σ(−v) of each step, [T]. */
export const stepLoss = (values: Tensor, labels: Tensor): Tensor => sub(softplus(values), mul(labels, values))

/**
 * The loss of a process reward model (Uesato et al., arXiv 2211.14275; Lightman et al., arXiv 2305.20050): the scored tokens
 * are the last ones of steps, `values` what the scalar head says there, and the input `labels` is 1 where the step is right,
 * 0 where it is wrong. TRL's PRMTrainer has two logits in place of one: the same loss of their difference.
 */
export const processObjective: Objective<Tensor> = {
  name: 'reward-process',
  outputs: ['values'],
  inputs: { labels: 'tokens' },
  coupled: false,
  terms: ({ values, inputs: { labels } }) => [{ perUnit: stepLoss(values, labels), unit: 'tokens' }],
  metrics({ values, inputs: { labels } }) {
    const saysRight = cast(greater(values, 0), 'float')
    return {
      accuracy: { perUnit: cast(equal(saysRight, labels), 'float'), unit: 'tokens' },
      min_reward: { perUnit: values, unit: 'tokens', extreme: 'least' },
      mean_reward: { perUnit: values, unit: 'tokens' },
      max_reward: { perUnit: values, unit: 'tokens', extreme: 'greatest' },
    }
  },
}
