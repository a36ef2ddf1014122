import { meanMetrics } from '@collimate/core'
import { lengthMetrics, rewardMetrics } from '@collimate/rollouts'
import type { Experience } from './experience.js'
import { explainedVariance } from './explained-variance.js'
import type { Learned } from './learn.js'
import { squaredRatio } from './ppo-objective.js'

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Σ over the tokens of a completion. */
const total = (tokens: Float64Array): number => tokens.reduce((sum, value) => sum + value, 0)

/**
 * What a step sampled, in TRL's names: sums over the tokens of a completion, means over completions. Padding is no token,
 * which TRL's `objective/entropy` takes it for.
 *
 * @param beta β of the step
 */
export function objectiveMetrics({ tokenKl, logProbs, scores }: Experience, beta: number): Record<string, number> {
  const kl = mean(tokenKl.map(total))
  const score = mean([...scores.totals])
  return {
    'objective/kl': kl,
    'objective/entropy': mean(logProbs.map((row) => -total(row))),
    'objective/non_score_reward': -beta * kl,
    'objective/scores': score,
    'objective/rlhf_reward': score - beta * kl,
  }
}

/** What the updates of a step reported: means over the tokens of all of them; what was not updated has no metrics. */
export function updateMetrics({
  means,
  gradNorms,
  criticGradNorms,
  lossScale,
  criticLossScale,
  epochs,
}: Learned): Record<string, number> {
  const { [squaredRatio]: squares, ...metrics } = meanMetrics(means)
  return {
    ...metrics,
    ...(squares !== undefined && { 'val/ratio_var': Math.max(0, squares - metrics['val/ratio'] ** 2) }),
    ...(gradNorms.length > 0 && { grad_norm: mean(gradNorms) }),
    ...(criticGradNorms.length > 0 && { 'critic/grad_norm': mean(criticGradNorms) }),
    ...(lossScale !== undefined && { loss_scale: lossScale }),
    ...(criticLossScale !== undefined && { 'critic/loss_scale': criticLossScale }),
    'val/num_ppo_epochs': epochs,
  }
}

/** Rewards, lengths and values of the rollouts. */
export function rolloutMetrics({
  rollouts,
  scores,
  groupSize,
  returns,
  oldValues,
}: Experience): Record<string, number> {
  const explained = explainedVariance(
    returns,
    oldValues,
    rollouts.map(({ mask }) => mask),
  )
  return {
    ...rewardMetrics(scores, groupSize),
    ...lengthMetrics(rollouts),
    'val/num_eos_tokens': rollouts.filter(({ endedBy }) => endedBy === 'stop').length,
    ...(explained !== undefined && { 'val/explained_variance': explained }),
  }
}
