import { CollimateError, type Estimator, type EstimatorRequest } from '@collimate/core'
import { ownFormulas } from '../formulas/formulas.js'
import type { EstimatorLawOptions } from './index.js'

const { gae, leaveOneOut, groupAdvantages, monteCarloReturns, whiten } = ownFormulas

/** What an estimator computes. */
export type Estimate = (request: EstimatorRequest) => { advantages: Float64Array; returns: Float64Array }

/** An estimator of one function. */
export const estimator = (estimate: Estimate) => (): Estimator => ({ estimate: async (request) => estimate(request) })

export const [gamma, lambda] = [0.9, 0.8]

/** The values of a request; an error where there are none. */
export const valuesOf = ({ values }: EstimatorRequest): Float64Array => {
  if (!values) throw new CollimateError('COLLIMATE_ESTIMATE_INVALID', 'there are no values')
  return values
}

export const ofGae: Estimate = (request) =>
  gae({ ...request, rewards: withFinalValues(request, gamma), values: valuesOf(request), gamma, lambda })

/** Rewards with γ times the value of the state after the last real token added to that token's. */
export function withFinalValues({ rows, width, rewards, mask, finalValues }: EstimatorRequest, discount: number) {
  const all = rewards.slice()
  for (let row = 0; finalValues && row < rows; row++) {
    const last = mask.slice(row * width, (row + 1) * width).lastIndexOf(1)
    if (last >= 0) all[row * width + last] += discount * finalValues[row]
  }
  return all
}

/** A number for each real slot, 0 elsewhere. */
export const masked = (request: EstimatorRequest, of: (slot: number) => number) =>
  request.rewards.map((_, slot) => (request.mask[slot] === 0 ? 0 : of(slot)))

const rowTotals = ({ rows, width, rewards, mask }: EstimatorRequest) =>
  Array.from({ length: rows }, (_, row) => {
    let total = 0
    for (let slot = row * width; slot < (row + 1) * width; slot++) if (mask[slot] !== 0) total += rewards[slot]
    return total
  })

/** Advantages of whole rows from their total rewards. */
export const ofGroups =
  (of: (totals: readonly number[]) => Float64Array): Estimate =>
  (request) => {
    const found = of(rowTotals(request))
    return {
      advantages: masked(request, (slot) => found[Math.floor(slot / request.width)]),
      returns: monteCarloReturns({ ...request, gamma: 1 }),
    }
  }

/** Estimators made of the laws' own formulas, with what they claim: the laws hold for each. */
export const ownEstimators: readonly EstimatorLawOptions[] = [
  {
    name: 'gae',
    ...{ create: estimator(ofGae), gamma, lambda },
    claims: { gae: true, rowwise: true, needsValues: true, finalValues: true },
  },
  {
    name: 'gae, whitened, with a KL penalty',
    create: estimator((request) => {
      const { logProbs, refLogProbs = logProbs, mask } = request
      const rewards = request.rewards.map((reward, slot) => reward - 0.1 * (logProbs[slot] - refLogProbs[slot]))
      const { advantages, returns } = ofGae({ ...request, rewards })
      return { advantages: whiten({ values: advantages, mask }), returns }
    }),
    ...{ gamma, lambda, beta: 0.1 },
    claims: { gae: true, whitened: true, needsValues: true },
  },
  {
    name: 'leave-one-out',
    create: estimator(ofGroups((totals) => leaveOneOut(totals, 3))),
    claims: { leaveOneOut: true, rowwise: true, monteCarlo: true },
  },
  {
    name: 'group mean',
    create: estimator(ofGroups((totals) => groupAdvantages(totals, 2, 'none'))),
    groupSize: 2,
    claims: { groupMean: true, rowwise: true },
  },
  {
    name: 'group standard deviation',
    create: estimator(ofGroups((totals) => groupAdvantages(totals, 3, 'std'))),
    claims: { groupStd: true, rowwise: true },
  },
]
