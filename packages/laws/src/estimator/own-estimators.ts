import { CollimateError, type Estimator, type EstimatorRequest } from '@collimate/core'
import { ownFormulas } from '../formulas/formulas.js'
import { withFinalValues } from './gae-estimator.js'
import type { EstimatorClaims, EstimatorLawOptions } from './index.js'
import { advantagesOfRows, baselineEstimator, perSlot, type Baseline, type BaselineName } from './sequences.js'

const { gae, monteCarloReturns, whiten } = ownFormulas

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

/** A number for each real slot, 0 elsewhere. */
export const masked = (request: EstimatorRequest, of: (slot: number) => number) =>
  request.rewards.map((_, slot) => (request.mask[slot] === 0 ? 0 : of(slot)))

/** Advantages of whole rows: `of` gives those of a group from the total rewards of its rows that have a real token. */
export const ofGroups =
  (of: Baseline): Estimate =>
  (request) => ({
    advantages: perSlot(request, advantagesOfRows(request, of)),
    returns: monteCarloReturns({ ...request, gamma: 1 }),
  })

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
  ownBaseline('no-baseline', { noBaseline: true }),
  ownBaseline('moving-average', { movingAverage: true }),
  ownBaseline('leave-one-out', { leaveOneOut: true, needsGroups: true }),
  { ...ownBaseline('group-mean', { groupMean: true, needsGroups: true }), groupSize: 2 },
  ownBaseline('group-std', { groupStd: true, needsGroups: true }),
  { ...ownBaseline('batch-std', { batchStd: true, rowwise: false }) },
  {
    ...{ name: 'leave-one-out, normalised', create: () => baselineEstimator('leave-one-out', { normalized: true }) },
    claims: { leaveOneOut: true, normalized: true },
  },
]

function ownBaseline(name: BaselineName, claims: EstimatorClaims): EstimatorLawOptions {
  return { name, create: () => baselineEstimator(name), claims: { rowwise: true, monteCarlo: true, ...claims } }
}
