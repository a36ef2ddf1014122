import { describe, expect, it } from 'vitest'
import { checkLaw, checkSuite } from '../check.js'
import { ownFormulas } from '../formulas/formulas.js'
import { lawsOfEstimator, type EstimatorLawOptions } from './index.js'
import { baselines } from './sequences.js'
import {
  estimator,
  gamma,
  lambda,
  masked,
  ofGae,
  ofGroups,
  ownEstimators,
  valuesOf,
  type Estimate,
} from './own-estimators.js'

const { gae, whiten } = ownFormulas
const [plainGae, whiteGae, noBaseline, movingAverage, rloo, groupMean, groupStd, batchStd, normalised] = ownEstimators
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
  ['ends completions that were cut', plainGae, ({ finalValues: _, ...r }) => ofGae(r), 'gae/cut-completions'],
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
  ['has a baseline', noBaseline, ofGroups(({ group }) => group.map((r) => r - 1)), 'reinforce/no-baseline'],
  [
    'lets the present batch into its moving mean',
    movingAverage,
    ofGroups(({ group, batch, earlier }) => group.map((r) => r - 0.9 * earlier - (0.1 * batch[0]) / batch.length)),
    'reinforce/moving-average',
  ],
  ['subtracts the whole group’s mean', rloo, ofGroups(baselines['group-mean']), 'reinforce/leave-one-out'],
  [
    'compares across groups',
    rloo,
    (r) => ofGroups(baselines['leave-one-out'])({ ...r, groupSize: r.rows }),
    'estimator/rows-by-themselves',
  ],
  [
    'counts completions that are masked whole',
    rloo,
    ofGroups(({ group, ...rest }) => baselines['leave-one-out']({ ...rest, group: [...group, 0].slice(0, 3) })),
    'reinforce/leave-one-out',
  ],
  [
    'gives no returns',
    rloo,
    (r) => ({ ...ofGroups(baselines['leave-one-out'])(r), returns: masked(r, () => 0) }),
    'gae/monte-carlo-returns',
  ],
  ['accepts groups of one', rloo, ofGroups(baselines['leave-one-out']), 'estimator/needs-groups'],
  ['divides by the standard deviation', groupMean, ofGroups(baselines['group-std']), 'reinforce/group-mean'],
  ['does not divide', groupStd, ofGroups(baselines['group-mean']), 'reinforce/group-std'],
  ['divides by the deviation of the group', batchStd, ofGroups(baselines['group-std']), 'reinforce/batch-std'],
  ['does not normalise', normalised, ofGroups(baselines['leave-one-out']), 'reinforce/normalized'],
]

describe('laws of estimators', () => {
  it.each(ownEstimators.map((options) => [options.name, options] as const))('hold for %s', async (_, options) => {
    const suite = lawsOfEstimator(options)
    expect(suite.unproven).toEqual([])
    expect((await checkSuite(suite, { runs: 100 })).flatMap(({ message }) => message ?? [])).toEqual([])
  })

  it.each(mutants)('kill one that %s', async (_, options, estimate, killer) => {
    const suite = lawsOfEstimator({ ...options, create: estimator(estimate) })
    const law = suite.laws.find(({ name }) => name === killer)
    expect(law, killer).toBeDefined()
    expect((await checkLaw(law!, { runs: 100, seed: 1 })).status).toBe('fails')
  })

  it('each has killed', () => {
    const killers = new Set(mutants.map(([, , , killer]) => killer))
    const names = ownEstimators.flatMap((options) => lawsOfEstimator(options).laws.map(({ name }) => name))
    expect([...new Set(names)].filter((name) => !killers.has(name))).toEqual([])
  })
})
