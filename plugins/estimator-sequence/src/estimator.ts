import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'
import { baselines } from './baselines.js'
import { checkRequest } from './check-request.js'
import type { SequenceOptions } from './options.js'
import { EPSILON, mean, standardDeviation } from './statistics.js'

/**
 * The completion as one action: each of its tokens has its total reward less a baseline. Returns are Monte-Carlo: the sum of
 * the rewards from a token on. A row without a real token is no sample: it has no reward, and no baseline sees it.
 */
export function sequenceEstimator(options: SequenceOptions): Estimator {
  return {
    async estimate(request) {
      checkRequest(request, options.baseline)
      const perRow = advantagesOfRows(request, options)
      const { width, mask } = request
      const advantages = Float64Array.from(mask, (bit, slot) => (bit === 0 ? 0 : perRow[Math.floor(slot / width)]))
      return { advantages, returns: returnsOf(request) }
    },
  }
}

/** [rows] the advantage of each row; 0 for one without a real token. */
function advantagesOfRows(request: EstimatorRequest, { baseline, normalizeAdvantages }: SequenceOptions): Float64Array {
  const { rows, groupSize = 1, meanReward: earlier = 0 } = request
  const totals = totalsOf(request)
  const real = Array.from({ length: rows }, (_, row) => row).filter((row) => totals[row] !== undefined)
  const rewardsOf = (some: readonly number[]): number[] => some.map((row) => totals[row] as number)
  const batch = rewardsOf(real)
  const advantages = new Float64Array(rows)
  for (let start = 0; start < rows; start += groupSize) {
    const members = real.filter((row) => row >= start && row < start + groupSize)
    const found = baselines[baseline].advantages({ group: rewardsOf(members), batch, earlier })
    members.forEach((row, at) => (advantages[row] = found[at]))
  }
  if (!normalizeAdvantages || real.length === 0) return advantages
  const found = real.map((row) => advantages[row])
  const [centre, scale] = [mean(found), standardDeviation(found) + EPSILON]
  for (const row of real) advantages[row] = (advantages[row] - centre) / scale
  return advantages
}

/** [rows] sum of the rewards of the real tokens; undefined for a row that has none. */
function totalsOf({ rows, width, rewards, mask }: EstimatorRequest): (number | undefined)[] {
  const totals = new Array<number | undefined>(rows).fill(undefined)
  rewards.forEach((reward, slot) => {
    const row = Math.floor(slot / width)
    if (mask[slot] !== 0) totals[row] = (totals[row] ?? 0) + reward
  })
  return totals
}

/** Sum of the rewards from each real token of its row on; 0 where the mask is 0. */
function returnsOf({ rows, width, rewards, mask }: EstimatorRequest): EstimatorReply['returns'] {
  const returns = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    let rest = 0
    for (let slot = (row + 1) * width - 1; slot >= row * width; slot--)
      if (mask[slot] !== 0) returns[slot] = rest += rewards[slot]
  }
  return returns
}
