import { CollimateError } from '@collimate/core'
import type { EstimatorRequest } from '@collimate/core'
import { baselines } from './baselines.js'
import type { BaselineName } from './baselines.js'

/**
 * Refuses arrays that do not fit each other, groups that do not divide the rows, groups of one where completions are
 * compared (all advantages would be 0, and nothing would be learnt in silence), and numbers that are not finite where the
 * mask is 1: COLLIMATE_ESTIMATE_INVALID.
 */
export function checkRequest(request: EstimatorRequest, baseline: BaselineName): void {
  const { rows, width, rewards, mask, groupSize = 1, meanReward = 0 } = request
  for (const [name, { length }] of Object.entries({ rewards, mask }))
    if (length !== rows * width) throw invalid(`${name} have ${length} numbers, not ${rows} rows of ${width}`)
  if (!Number.isInteger(groupSize) || groupSize < 1 || rows % groupSize !== 0)
    throw invalid(`${rows} rows do not come in groups of ${groupSize}`)
  if (baselines[baseline].compares && groupSize < 2)
    throw invalid(
      `baseline "${baseline}" compares the completions of a prompt, and there is one for each`,
      'set numGenerations of the trainer to 2 or more, or take the baseline moving-average or none',
    )
  const slot = rewards.findIndex((reward, at) => mask[at] !== 0 && !Number.isFinite(reward))
  if (slot >= 0) throw invalid(`the reward of row ${Math.floor(slot / width)}, token ${slot % width}: ${rewards[slot]}`)
  if (!Number.isFinite(meanReward)) throw invalid(`the mean reward is ${meanReward}`)
}

function invalid(problem: string, hint?: string): CollimateError {
  return new CollimateError('COLLIMATE_ESTIMATE_INVALID', `estimator "sequence": ${problem}`, {
    ...(hint !== undefined && { hint }),
  })
}
