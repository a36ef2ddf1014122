import type { Objective } from '@collimate/core'
import { cast, greater, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import type { RewardLossOptions } from './options.js'
import { pairLoss, pairScores } from './pair-loss.js'

/**
 * The loss of a reward model on pairs of answers: sequences 2i chosen, 2i + 1 rejected, the score read at the last token of
 * each. The input `margin` is that of the data, 0 where it has none. Metrics are TRL's; extremes are those of the whole
 * batch.
 */
export function rewardObjective(options: RewardLossOptions): Objective<Tensor> {
  return {
    name: 'reward',
    outputs: ['scores'],
    inputs: { margin: 'pairs' },
    coupled: false,
    terms: (t) => [{ perUnit: pairLoss(pairScores(t), options), unit: 'pairs' }],
    metrics(t) {
      const { chosen, rejected } = pairScores(t)
      const { scores } = t
      return {
        accuracy: { perUnit: cast(greater(chosen, rejected), 'float'), unit: 'pairs' },
        margin: { perUnit: sub(chosen, rejected), unit: 'pairs' },
        min_reward: { perUnit: scores, unit: 'sequences', extreme: 'least' },
        mean_reward: { perUnit: scores, unit: 'sequences' },
        max_reward: { perUnit: scores, unit: 'sequences', extreme: 'greatest' },
      }
    },
  }
}
