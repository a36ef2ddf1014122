import { meanInterval, proportionInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'
import { constant, evaluate } from '@collimate/graph'
import { calibrationMeasurements } from './calibration.js'
import { centredBootstrap } from './centred-bootstrap.js'
import type { RewardLossOptions } from './options.js'
import { pairLoss } from './pair-loss.js'
import { rewardMoments } from './reward-moments.js'
import type { ScoredPair } from './score-pairs.js'

/**
 * What the scores of held-out pairs say of a reward model, with 95 % intervals over pairs: Wilson's for the accuracy (a tie
 * counts as wrong, as in TRL), Student's for means, the bootstrap for spread and calibration error. Extremes are those of all
 * scores and have no interval.
 */
export function measurePairs(
  pairs: readonly ScoredPair[],
  options: RewardLossOptions,
  seed: number,
): Record<string, Measurement> {
  const margins = pairs.map(({ chosen, rejected }) => chosen - rejected)
  const all = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected])
  const spread = (indices: Int32Array): number => rewardMoments(Array.from(indices, (i) => pairs[i])).std
  const extreme = (value: number): Measurement => ({ value, count: all.length })
  return {
    eval_loss: meanInterval(lossesOf(pairs, options)),
    eval_accuracy: proportionInterval(margins.filter((margin) => margin > 0).length, pairs.length),
    eval_margin: meanInterval(margins),
    // Over pairs: the two answers of a prompt are no independent sample.
    eval_mean_reward: meanInterval(pairs.map(({ chosen, rejected }) => (chosen + rejected) / 2)),
    eval_reward_std: centredBootstrap(pairs.length, spread, seed),
    eval_min_reward: extreme(all.reduce((a, b) => Math.min(a, b), Infinity)),
    eval_max_reward: extreme(all.reduce((a, b) => Math.max(a, b), -Infinity)),
    ...calibrationMeasurements(pairs, seed),
  }
}

/** Loss of each pair, in float64. */
function lossesOf(pairs: readonly ScoredPair[], options: RewardLossOptions): ArrayLike<number> {
  const column = (name: keyof ScoredPair) => constant(pairs.map((pair) => pair[name]))
  const scores = { chosen: column('chosen'), rejected: column('rejected'), margin: column('margin') }
  return evaluate(pairLoss(scores, options), {}).data
}
