import { CollimateError, type Estimator, type EstimatorRequest } from '@collimate/core'
import { describe, expect, it } from 'vitest'
import { checkSuite } from '../check.js'
import { ownFormulas } from '../formulas/formulas.js'
import { lawsOfEstimator, type EstimatorLawOptions } from './index.js'

const { gae, leaveOneOut, groupAdvantages, monteCarloReturns, whiten } = ownFormulas
type Estimate = (request: EstimatorRequest) => { advantages: Float64Array; returns: Float64Array }
const estimator = (estimate: Estimate) => (): Estimator => ({ estimate: async (request) => estimate(request) })

const [gamma, lambda] = [0.9, 0.8]
const valuesOf = ({ values }: EstimatorRequest): Float64Array => {
  if (!values) throw new CollimateError('COLLIMATE_ESTIMATE_INVALID', 'there are no values')
  return values
}
const ofGae: Estimate = (request) => gae({ ...request, values: valuesOf(request), gamma, lambda })
const masked = (request: EstimatorRequest, of: (slot: number) => number) =>
  request.rewards.map((_, slot) => (request.mask[slot] === 0 ? 0 : of(slot)))

const rowTotals = ({ rows, width, rewards, mask }: EstimatorRequest) =>
  Array.from({ length: rows }, (_, row) => {
    let total = 0
    for (let slot = row * width; slot < (row + 1) * width; slot++) if (mask[slot] !== 0) total += rewards[slot]
    return total
  })
const ofGroups =
  (of: (totals: readonly number[]) => Float64Array): Estimate =>
  (request) => {
    const found = of(rowTotals(request))
    return {
      advantages: masked(request, (slot) => found[Math.floor(slot / request.width)]),
      returns: monteCarloReturns({ ...request, gamma: 1 }),
    }
  }

const right: readonly EstimatorLawOptions[] = [
  { name: 'gae', create: estimator(ofGae), gamma, lambda, claims: { gae: true, rowwise: true, needsValues: true } },
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

const [plainGae, whiteGae, rloo, groupMean, groupStd] = right
const mutants: readonly (readonly [string, EstimatorLawOptions, Estimate, string])[] = [
  ['reads masked slots', plainGae, (r) => ofGae({ ...r, mask: r.mask.map(() => 1) }), 'estimator/masked-slots'],
  [
    'writes into masked slots',
    plainGae,
    (r) => {
      const reply = ofGae(r)
      return { ...reply, advantages: reply.advantages.map((value, slot) => (r.mask[slot] === 0 ? -1 : value)) }
    },
    'estimator/shape',
  ],
  ['leaves one number out', plainGae, (r) => ({ ...ofGae(r), returns: ofGae(r).returns.slice(1) }), 'estimator/shape'],
  [
    'whitens its own input',
    plainGae,
    (r) => {
      r.rewards.set(whiten({ values: r.rewards, mask: r.mask }))
      return ofGae(r)
    },
    'estimator/pure',
  ],
  [
    'decays over masked columns',
    plainGae,
    (r) => {
      const clean = (values: Float64Array) => values.map((value, slot) => (r.mask[slot] === 0 ? 0 : value))
      const { advantages, returns } = ofGae({
        ...r,
        rewards: clean(r.rewards),
        values: clean(valuesOf(r)),
        mask: r.mask.map(() => 1),
      })
      return { advantages: clean(advantages), returns: clean(returns) }
    },
    'estimator/masked-columns',
  ],
  [
    'whitens in silence',
    plainGae,
    (r) => ({ ...ofGae(r), advantages: whiten({ values: ofGae(r).advantages, mask: r.mask }) }),
    'estimator/rows-by-themselves',
  ],
  [
    'takes absent values for 0',
    plainGae,
    (r) => ofGae({ ...r, values: r.values ?? new Float64Array(r.rewards.length) }),
    'estimator/needs-values',
  ],
  ['ignores λ', plainGae, (r) => gae({ ...r, values: valuesOf(r), gamma, lambda: 1 }), 'gae/advantages'],
  ['ignores γ', plainGae, (r) => gae({ ...r, values: valuesOf(r), gamma: 1, lambda }), 'gae/advantages'],
  ['returns without values', plainGae, (r) => ({ ...ofGae(r), returns: ofGae(r).advantages }), 'gae/returns'],
  ['does not whiten', whiteGae, ofGae, 'gae/whitened'],
  [
    'puts the mean back (torchtune)',
    whiteGae,
    (r) => ({
      ...ofGae(r),
      advantages: whiten({ values: ofGae(r).advantages, mask: r.mask }).map((a, s) => (r.mask[s] === 0 ? 0 : a + 1)),
    }),
    'gae/whitened',
  ],
  ['subtracts the whole group’s mean', rloo, ofGroups((t) => groupAdvantages(t, 3, 'none')), 'reinforce/leave-one-out'],
  ['compares across groups', rloo, ofGroups((t) => leaveOneOut(t, t.length)), 'estimator/rows-by-themselves'],
  [
    'gives no returns',
    rloo,
    (r) => ({ ...ofGroups((t) => leaveOneOut(t, 3))(r), returns: masked(r, () => 0) }),
    'gae/monte-carlo-returns',
  ],
  [
    'divides by the standard deviation',
    groupMean,
    ofGroups((t) => groupAdvantages(t, 2, 'std')),
    'reinforce/group-mean',
  ],
  ['does not divide', groupStd, ofGroups((t) => groupAdvantages(t, 3, 'none')), 'reinforce/group-std'],
]

describe('laws of estimators', () => {
  it.each(right.map((options) => [options.name, options] as const))('hold for %s', async (_, options) => {
    const suite = lawsOfEstimator(options)
    expect(suite.unproven).toEqual([])
    expect((await checkSuite(suite, { runs: 100 })).flatMap(({ message }) => message ?? [])).toEqual([])
  })

  it.each(mutants)('kill one that %s', async (_, options, estimate, killer) => {
    const results = await checkSuite(lawsOfEstimator({ ...options, create: estimator(estimate) }), { runs: 100 })
    expect(results.filter(({ status }) => status === 'fails').map(({ law }) => law.name)).toContain(killer)
  })
})
