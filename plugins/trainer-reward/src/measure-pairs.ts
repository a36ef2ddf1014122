import { meanInterval, proportionInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'
import { constant, evaluate } from '@collimate/graph'
import { bootstrapAround } from './bootstrap-around.js'
import { calibrationMeasurements, predictionOf } from './calibration.js'
import type { Prediction } from './calibration.js'
import type { RewardLossOptions } from './options.js'
import { pairLoss } from './pair-loss.js'
import { rewardMoments } from './reward-moments.js'
import type { ScoredPair } from './score-pairs.js'

/** What the model says of which answer is preferred: P(w ≻ l) = σ(r_w − r_l). A margin of the data plays no part. */
export const pairPredictions = (pairs: readonly ScoredPair[]): Prediction[] =>
  pairs.map(({ chosen, rejected }) => predictionOf(chosen - rejected))

/**
 * What the scores of held-out pairs say of a reward model, with 95 % intervals over pairs: Wilson's for the accuracy (a tie
 * counts as wrong, as in TRL), Student's for means, the bootstrap for spread and calibration. Extremes are those of all scores
 * and have no interval.
 */
export function measurePairs(
  pairs: readonly ScoredPair[],
  options: RewardLossOptions,
  seed: number,
): Record<string, Measurement> {
  const margins = pairs.map(({ chosen, rejected }) => chosen - rejected)
  const all = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected])
  const spread = (indices: Int32Array): number => rewardMoments(Array.from(indices, (i) => pairs[i])).std
  return {
    eval_loss: meanInterval(lossesOf(pairs, options)),
    eval_accuracy: proportionInterval(margins.filter((margin) => margin > 0).length, pairs.length),
    eval_margin: meanInterval(margins),
    // Over pairs: the two answers of a prompt are no independent sample.
    eval_mean_reward: meanInterval(pairs.map(({ chosen, rejected }) => (chosen + rejected) / 2)),
    eval_reward_std: bootstrapAround(pairs.length, spread, seed, 0),
    ...extremes(all),
    ...calibrationMeasurements(
      pairPredictions(pairs).map((prediction) => [prediction]),
      seed,
    ),
  }
}

/** The least and the greatest of some rewards, which have no interval. */
export const extremes = (rewards: readonly number[]): Record<string, Measurement> => ({
  eval_min_reward: { value: rewards.reduce((a, b) => Math.min(a, b), Infinity), count: rewards.length },
  eval_max_reward: { value: rewards.reduce((a, b) => Math.max(a, b), -Infinity), count: rewards.length },
})

/** Loss of each pair, in float64. */
function lossesOf(pairs: readonly ScoredPair[], options: RewardLossOptions): ArrayLike<number> {
  const column = (name: keyof ScoredPair) => constant(pairs.map((pair) => pair[name]))
  const scores = { chosen: column('chosen'), rejected: column('rejected'), margin: column('margin') }
  return evaluate(pairLoss(scores, options), {}).data
}
