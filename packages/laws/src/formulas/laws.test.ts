import { describe, expect, it } from 'vitest'
import { checkLaw, checkSuite } from '../check.js'
import { ownFormulas, type Formulas } from './formulas.js'
import { lawsOfFormulas } from './laws.js'

const own = ownFormulas
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const broken = (input: Parameters<Formulas['gae']>[0], change: Partial<Parameters<Formulas['gae']>[0]>) =>
  own.gae({ ...input, ...change })

/** Wrong formulas, most of them seen in the wild, and a law that must notice. */
const mutants: readonly (readonly [string, Partial<Formulas>, string])[] = [
  ['Bradley-Terry with the sign turned', { bradleyTerry: (a, b) => sigmoid(b - a) }, 'bradley-terry/monotone'],
  ['Bradley-Terry from one reward only', { bradleyTerry: (a) => sigmoid(a) }, 'bradley-terry/complement'],
  ['Bradley-Terry centred', { bradleyTerry: (a, b) => sigmoid(a - b - 0.01 * (a + b) ** 2) }, 'bradley-terry/shift'],
  [
    'Bradley-Terry by a normal curve',
    { bradleyTerry: (a, b) => sigmoid(1.5 * Math.tanh(a - b)) },
    'bradley-terry/log-odds-chain',
  ],
  ['log σ unguarded', { logSigmoid: (x) => -Math.log(1 + Math.exp(-x)) }, 'bradley-terry/finite'],
  [
    'log-mean-exp unguarded',
    { logMeanExp: (v) => Math.log(v.reduce((a, b) => a + Math.exp(b), 0) / v.length) },
    'bradley-terry/log-mean-exp',
  ],
  [
    'log-sum-exp for log-mean-exp',
    { logMeanExp: (v) => own.logMeanExp(v) + Math.log(v.length) },
    'bradley-terry/log-mean-exp',
  ],
  ['k1 = ref − logp (rlhf-book approx_kl1)', { k1: (p, q) => q - p }, 'kl/k1-unbiased'],
  ['|r| for k1', { k1: (p, q) => Math.abs(p - q) }, 'kl/k1-as-loss'],
  ['half of k1', { k1: (p, q) => (p - q) / 2 }, 'kl/ratio-times-k1'],
  ['k3 without its linear part', { k3: (p, q) => Math.expm1(q - p) }, 'kl/ratio-times-k3'],
  ['k3 = exp(r) − 1 − r (rlhf-book approx_kl3)', { k3: (p, q) => Math.expm1(p - q) - (p - q) }, 'kl/k3-unbiased'],
  ['k3 by exp', { k3: (p, q) => Math.exp(q - p) - 1 - (q - p) }, 'kl/k3-not-negative'],
  ['k2 without its half', { k2: (p, q) => (p - q) ** 2 }, 'kl/k2-as-loss'],
  ['|r| for k2', { k2: (p, q) => Math.abs(p - q) }, 'kl/k2-as-loss'],
  ['k3 in place of k2', { k2: own.k3 }, 'kl/k2-as-loss'],
  ['k2 in place of k3', { k3: own.k2 }, 'kl/k3-as-loss'],
  [
    'KL controller with its sign turned',
    { nextBeta: (b, kl, n, to) => own.nextBeta(b, 2 * to.target - kl, n, to) },
    'kl/controller-converges',
  ],
  [
    'KL controller without a limit',
    { nextBeta: (b, kl, n, { target, horizon }) => b * (1 + ((kl / target - 1) * n) / horizon) },
    'kl/controller-step',
  ],
  [
    'GAE that bootstraps from masked slots',
    { gae: (c) => broken(c, { mask: new Uint8Array(c.mask.length).fill(1) }) },
    'gae/masked-slots',
  ],
  ['GAE that ignores λ', { gae: (c) => broken(c, { lambda: 1 }) }, 'gae/td-residual'],
  ['GAE that ignores γ', { gae: (c) => broken(c, { gamma: 1 }) }, 'gae/explicit-sum'],
  ['GAE across rows', { gae: (c) => broken(c, { rows: 1, width: c.rows * c.width }) }, 'gae/monte-carlo'],
  ['returns without the value', { gae: (c) => ({ ...own.gae(c), returns: own.gae(c).advantages }) }, 'gae/returns'],
  [
    'GAE that decays over masked tokens',
    {
      gae: (c) => {
        const zero = (list: Float64Array) => list.map((value, slot) => (c.mask[slot] === 0 ? 0 : value))
        const all = new Uint8Array(c.mask.length).fill(1)
        const { advantages, returns } = own.gae({ ...c, rewards: zero(c.rewards), values: zero(c.values), mask: all })
        return { advantages: zero(advantages), returns: zero(returns) }
      },
    },
    'gae/inserted-tokens',
  ],
  [
    'Monte-Carlo returns undiscounted',
    { monteCarloReturns: (c) => own.monteCarloReturns({ ...c, gamma: 1 }) },
    'gae/monte-carlo-returns',
  ],
  ['KL that rewards divergence', { klRewards: (c) => own.klRewards({ ...c, beta: -c.beta }) }, 'gae/rewards-sum'],
  ['KL that is never applied', { klRewards: (c) => own.klRewards({ ...c, beta: 0 }) }, 'gae/rewards-sum'],
  [
    'score at the first token',
    {
      klRewards: (c) => {
        const plain = own.klRewards({ ...c, scores: c.scores.map(() => 0) })
        for (let row = 0; row < c.rows; row++) plain[row * c.width] += c.scores[row]
        return plain
      },
    },
    'gae/rewards-sum',
  ],
  [
    'whitening that puts the mean back (torchtune)',
    {
      whiten: (c) => {
        const real = Array.from(c.values).filter((_, slot) => c.mask[slot] !== 0)
        const mean = real.reduce((a, b) => a + b, 0) / real.length
        return own.whiten(c).map((value, slot) => (c.mask[slot] === 0 ? 0 : value + mean))
      },
    },
    'gae/whitened',
  ],
  ['whitening turned over', { whiten: (c) => own.whiten(c).map((value) => -value) }, 'gae/whitened'],
  [
    'whitening over padding',
    { whiten: (c) => own.whiten({ ...c, mask: new Uint8Array(c.mask.length).fill(1) }) },
    'gae/whitening-is-masked',
  ],
  [
    'leave-one-out that leaves none out',
    { leaveOneOut: (r, k) => own.groupAdvantages(r, k, 'none') },
    'reinforce/leave-one-out-unbiased',
  ],
  [
    'a completion alone keeps its reward',
    { leaveOneOut: (r, k) => (k === 1 ? Float64Array.from(r) : own.leaveOneOut(r, k)) },
    'reinforce/group-of-one',
  ],
  [
    'leave-one-out over the whole batch',
    { leaveOneOut: (r) => own.leaveOneOut(r, r.length) },
    'reinforce/leave-one-out',
  ],
  [
    'group advantages that ignore the scale',
    { groupAdvantages: (r, k) => own.groupAdvantages(r, k, 'none') },
    'reinforce/group-advantages',
  ],
  [
    'group advantages that always divide',
    { groupAdvantages: (r, k) => own.groupAdvantages(r, k, 'std') },
    'reinforce/group-mean',
  ],
  [
    'constant groups give NaN',
    { groupAdvantages: (r, k, s) => own.groupAdvantages(r, k, s).map((a) => a / (a === 0 ? 0 : 1)) },
    'reinforce/group-advantages',
  ],
  [
    'baseline that enters the gradient',
    {
      reinforceGradient: (l, r, b) =>
        own.reinforceGradient(
          l,
          r.map((x) => x * (1 + b)),
          0,
        ),
    },
    'reinforce/baseline',
  ],
  [
    'gradient of the argmax',
    {
      reinforceGradient: (l, r) =>
        own.reinforceGradient(
          l.map((x) => 9 * x),
          r,
          0,
        ),
    },
    'reinforce/unbiased',
  ],
  [
    'surrogate with its sign turned',
    { clippedSurrogate: (x, a, c) => -own.clippedSurrogate(x, a, c) },
    'ppo/fresh-samples',
  ],
  ['surrogate that never clips', { clippedSurrogate: (x, a) => -a * Math.exp(x) }, 'ppo/clip-binds'],
  [
    'max in place of min',
    {
      clippedSurrogate: (x, a, c) =>
        Math.min(-a * Math.exp(x), -a * Math.min(Math.max(Math.exp(x), 1 - c.low), 1 + c.high)),
    },
    'ppo/pessimistic',
  ],
  [
    'upper clip from the lower bound',
    { clippedSurrogate: (x, a, c) => own.clippedSurrogate(x, a, { low: c.low, high: c.low }) },
    'ppo/clip-binds',
  ],
  ['dual clip that ignores c', { dualClip: (x, a, c) => own.clippedSurrogate(x, a, c) }, 'ppo/dual-clip'],
  [
    'dual clip for every sign',
    { dualClip: (x, a, clip, c) => Math.min(own.clippedSurrogate(x, a, clip), Math.abs(a) * c) - (a > 0 ? 1 : 0) },
    'ppo/dual-clip',
  ],
  [
    'value clip without the max',
    { clippedValueLoss: (v, o, t, r) => (Math.min(Math.max(v, o - r), o + r) - t) ** 2 / 2 },
    'ppo/value-clip',
  ],
  ['value loss that never clips', { clippedValueLoss: (v, _, t) => (v - t) ** 2 / 2 }, 'ppo/value-clip'],
]

describe('laws of formulas', () => {
  it('hold for the laws’ own formulas, every one of which some law needs', async () => {
    const suite = lawsOfFormulas({ name: 'own' })
    expect(suite.unproven).toEqual([])
    expect(suite.unsupported).toEqual([])
    const results = await checkSuite(suite, { runs: 200 })
    expect(results.flatMap(({ message }) => message ?? [])).toEqual([])
  })

  it.each(mutants)('kill: %s', async (_, formulas, killer) => {
    const law = lawsOfFormulas({ name: 'mutant', formulas }).laws.find(({ name }) => name === killer)
    expect(law, killer).toBeDefined()
    expect((await checkLaw(law!, { runs: 100, seed: 1 })).status).toBe('fails')
  })

  it('each has killed', () => {
    const killers = new Set(mutants.map(([, , killer]) => killer))
    const names = lawsOfFormulas({ name: 'own' }).laws.map(({ name }) => name)
    expect(names.filter((name) => !killers.has(name))).toEqual([])
  })

  it('report what is left out, and a formula that no law knows', () => {
    const suite = lawsOfFormulas({ name: 'part', formulas: { k1: own.k1, k4: () => 0 } as Partial<Formulas> })
    expect(suite.laws.map(({ name }) => name)).toEqual(['kl/k1-unbiased', 'kl/k1-as-loss', 'kl/ratio-times-k1'])
    expect(suite.unsupported.map(({ capability }) => capability)).toContain('gae')
    expect(suite.unproven).toEqual(['k4'])
  })
})
