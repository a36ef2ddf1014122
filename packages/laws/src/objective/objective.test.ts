import type { Metric, Objective, ObjectiveTensors } from '@collimate/core'
import {
  add,
  broadcastTo,
  cast,
  constant,
  div,
  exp,
  greater,
  log,
  logSigmoid,
  mean,
  mul,
  neg,
  relu,
  reshape,
  sigmoid,
  slice,
  square,
  stopGradient,
  sub,
  sum,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { describe, expect, it } from 'vitest'
import { checkLaw, checkSuite } from '../check.js'
import { preferenceLoss } from '../formulas/preferences.js'
import { lawsOfObjective, type ObjectiveClaims, type ObjectiveLawOptions } from './index.js'

const beta = 0.5
type Tensors = ObjectiveTensors<Tensor>
type Sides = readonly [Tensor, Tensor]

/** [N] as its chosen and rejected halves [N/2]. */
const sides = (perSequence: Tensor): Sides => {
  const count = perSequence.size / 2
  const column = (k: number) => reshape(slice(reshape(perSequence, [count, 2]), [0, k], [count, k + 1]), [count])
  return [column(0), column(1)]
}
const ratios = (t: Tensors): Sides => sides(t.sumBySequence(sub(t.logProbs, t.inputs.refLogProbs)))
const margin = (t: Tensors): Tensor => mul(sub(...ratios(t)), beta)
const sigmoidLoss = (t: Tensors): Tensor => neg(logSigmoid(margin(t)))

const metrics = (t: Tensors): Record<string, Metric<Tensor>> => {
  const [chosen, rejected] = ratios(t).map((ratio) => mul(ratio, beta))
  const logps = sides(t.sumBySequence(t.logProbs))
  const of = (perUnit: Tensor): Metric<Tensor> => ({ perUnit, unit: 'pairs' })
  return {
    'rewards/chosen': of(chosen),
    'rewards/rejected': of(rejected),
    'rewards/margins': of(sub(chosen, rejected)),
    'rewards/accuracies': of(cast(greater(chosen, rejected), 'float')),
    'logps/chosen': of(logps[0]),
    'logps/rejected': of(logps[1]),
  }
}

const objective = (perPair: (t: Tensors) => Tensor, more: Partial<Objective<Tensor>> = {}): Objective<Tensor> => ({
  name: 'test',
  outputs: ['logProbs'],
  inputs: { refLogProbs: 'tokens' },
  coupled: false,
  terms: (t) => [{ perUnit: perPair(t), unit: 'pairs' }],
  metrics,
  ...more,
})

const ofSigmoid: ObjectiveClaims = {
  ...{ fullGradient: true, cancelsPartition: true, bradleyTerry: true, monotone: true, antisymmetric: true },
  ...{ sequenceSums: true, implicitRewards: true, atReference: Math.LN2 },
}
const plain: ObjectiveLawOptions = {
  ...{ name: 'sigmoid', objective: objective(sigmoidLoss), kind: 'pairs', beta, claims: ofSigmoid },
  pairFormula: preferenceLoss('sigmoid', { beta }),
}
const smoothed = (epsilon: number) => (t: Tensors) =>
  add(mul(sigmoidLoss(t), 1 - epsilon), mul(neg(logSigmoid(neg(margin(t)))), epsilon))
const conservative: ObjectiveLawOptions = {
  ...{ name: 'cDPO', objective: objective(smoothed(0.2)), kind: 'pairs', beta },
  claims: { minimumAt: Math.log(4), antisymmetric: true, cancelsPartition: true },
}
const robustLoss =
  (epsilon: number, assumed = epsilon) =>
  (t: Tensors) => {
    const flipped = mul(neg(logSigmoid(neg(margin(t)))), assumed)
    return mul(sub(mul(sigmoidLoss(t), 1 - assumed), flipped), 1 / (1 - 2 * epsilon))
  }
const robust: ObjectiveLawOptions = {
  ...{ name: 'robust', objective: objective(robustLoss(0.2)), kind: 'pairs', beta },
  claims: { unbiasedUnderFlips: 0.2, monotone: true },
}
const averaged = (t: Tensors): Tensor => {
  const [chosen, rejected] = ratios(t)
  const [ofChosen, ofRejected] = sides(t.sumBySequence(t.tokenMask))
  // A padded pair has no tokens.
  const length = (tokens: Tensor) => add(tokens, cast(greater(0.5, tokens), 'float'))
  return neg(logSigmoid(mul(sub(div(chosen, length(ofChosen)), div(rejected, length(ofRejected))), beta)))
}
const ofAverages: ObjectiveLawOptions = {
  ...{ name: 'averaged', objective: objective(averaged), kind: 'pairs', beta },
  claims: { cancelsPartition: 'equal lengths', antisymmetric: 'equal lengths', atReference: Math.LN2 },
}
const single = (t: Tensors): Tensor => {
  const [chosen, rejected] = ratios(t)
  return neg(add(logSigmoid(mul(chosen, beta)), logSigmoid(mul(rejected, -beta))))
}
const ofSingles: ObjectiveLawOptions = {
  ...{ name: 'bco', objective: objective(single), kind: 'pairs', beta },
  claims: { cancelsPartition: false, atReference: 2 * Math.LN2, monotone: true },
}
const ofScores = (perPair: (chosen: Tensor, rejected: Tensor) => Tensor): ObjectiveLawOptions => ({
  name: 'reward model',
  objective: objective((t) => perPair(...sides(t.scores)), { outputs: ['scores'], inputs: {}, metrics: () => ({}) }),
  kind: 'pairs',
  claims: { ...ofSigmoid, implicitRewards: false, sequenceSums: false },
})
const rewardModel = ofScores((chosen, rejected) => neg(logSigmoid(sub(chosen, rejected))))
const likelihood: ObjectiveLawOptions = {
  name: 'sft',
  objective: objective(() => constant(0), {
    inputs: {},
    terms: (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens' }],
    metrics: (t) => ({ entropy: { perUnit: t.entropy, unit: 'tokens' } }),
  }),
  kind: 'tokens',
  claims: { fullGradient: true },
}

const right = [plain, conservative, robust, ofAverages, ofSingles, rewardModel, likelihood]

/** The options with another loss of a pair, or other parts of the objective. */
const withLoss = (
  options: ObjectiveLawOptions,
  perPair: (t: Tensors) => Tensor,
  more: Partial<Objective<Tensor>> = {},
) => ({
  ...options,
  objective: objective(perPair, more),
})
let calls = 0

const mutants: readonly (readonly [string, ObjectiveLawOptions, string])[] = [
  [
    'divides by the micro-batch',
    withLoss(plain, (t) => div(sigmoidLoss(t), t.sequenceMask.size / 2)),
    'split/micro-batches',
  ],
  [
    'averages over padded pairs',
    withLoss(plain, (t) => broadcastTo(mean(sigmoidLoss(t)), [t.sequenceMask.size / 2]), { coupled: true }),
    'split/masked-slots',
  ],
  [
    'weighs pairs by their place',
    withLoss(plain, (t) =>
      mul(sigmoidLoss(t), constant(Array.from({ length: t.sequenceMask.size / 2 }, (_, i) => 1 + i))),
    ),
    'split/order',
  ],
  [
    'compares batch means (mlx-lm-lora)',
    withLoss(plain, sigmoidLoss, {
      metrics: (t) => {
        const [chosen, rejected] = ratios(t)
        const right = cast(greater(sum(chosen), sum(rejected)), 'float')
        return { ...metrics(t), 'rewards/accuracies': { perUnit: broadcastTo(right, chosen.shape), unit: 'pairs' } }
      },
    }),
    'split/metrics',
  ],
  ['remembers', withLoss(plain, (t) => mul(sigmoidLoss(t), 1 + calls++)), 'objective/pure'],
  ['has another β', withLoss(plain, (t) => neg(logSigmoid(mul(margin(t), 2)))), 'objective/formula'],
  ['takes exp and log apart', withLoss(plain, (t) => log(add(1, exp(neg(margin(t)))))), 'objective/finite'],
  [
    'stops half of its gradient',
    withLoss(plain, (t) => neg(logSigmoid(mul(sub(ratios(t)[0], stopGradient(ratios(t)[1])), beta)))),
    'objective/gradient',
  ],
  [
    'reads what it does not declare',
    withLoss(plain, (t) => add(sigmoidLoss(t), mul(sum(t.entropy), 0))),
    'objective/declares-outputs',
  ],
  [
    'ignores its reference',
    withLoss({ ...plain, claims: {} }, (t) => neg(logSigmoid(sub(...sides(t.sumBySequence(t.logProbs))))), {
      metrics: () => ({}),
    }),
    'options/inputs',
  ],
  ['is no probability', withLoss(plain, (t) => mul(sigmoidLoss(t), 2)), 'bradley-terry/complement'],
  [
    'squashes margins',
    withLoss(plain, (t) => neg(logSigmoid(mul(sub(sigmoid(margin(t)), 0.5), 4)))),
    'bradley-terry/log-odds-chain',
  ],
  [
    'clips margins',
    withLoss(plain, (t) => neg(logSigmoid(sub(relu(add(margin(t), 9)), 9)))),
    'bradley-terry/far-margins',
  ],
  ['is turned round', withLoss(plain, (t) => neg(logSigmoid(neg(margin(t))))), 'bradley-terry/monotone'],
  [
    'adds the likelihood of the chosen answer',
    withLoss(plain, (t) => sub(sigmoidLoss(t), mul(sides(t.sumBySequence(t.logProbs))[0], 0.1))),
    'bradley-terry/antisymmetric',
  ],
  [
    'weighs tokens by their place',
    withLoss(plain, (t) => {
      const weight = constant(Array.from({ length: t.logProbs.size }, (_, k) => 1 + k / 8))
      const [w, l] = sides(t.sumBySequence(mul(sub(t.logProbs, t.inputs.refLogProbs), weight)))
      return neg(logSigmoid(mul(sub(w, l), beta)))
    }),
    'bradley-terry/sums-matter',
  ],
  [
    'counts ties as right',
    withLoss(plain, sigmoidLoss, {
      metrics: (t) => ({
        ...metrics(t),
        'rewards/accuracies': { perUnit: sub(1, cast(greater(ratios(t)[1], ratios(t)[0]), 'float')), unit: 'pairs' },
      }),
    }),
    'bradley-terry/metrics',
  ],
  ['averages in silence', withLoss({ ...plain, pairFormula: undefined }, averaged), 'partition/cancels'],
  ['adds up where it should average', { ...ofAverages, objective: plain.objective }, 'partition/remains'],
  [
    'compares pairs where it should take single answers',
    { ...ofSingles, objective: plain.objective },
    'partition/remains',
  ],
  ['has a constant', withLoss(ofSingles, (t) => add(single(t), 0.01)), 'at-reference/value'],
  ['smooths with the wrong share', withLoss(conservative, smoothed(0.1)), 'optimum/minimum'],
  ['smooths the wrong label', withLoss(conservative, smoothed(0.8)), 'optimum/minimum'],
  [
    'adds the flipped loss where it should take it off',
    withLoss(robust, robustLoss(0.2, -0.2)),
    'optimum/unbiased-under-flips',
  ],
  [
    'forgets the reference of the rejected answer',
    withLoss(plain, (t) => {
      const [w] = ratios(t)
      const [, l] = sides(t.sumBySequence(t.logProbs))
      return neg(logSigmoid(mul(sub(w, l), beta)))
    }),
    'optimum/loss-is-bradley-terry',
  ],
  ['squares the gap', withLoss(plain, (t) => square(sub(margin(t), 1))), 'optimum/stationary'],
  [
    'centres its scores',
    ofScores((chosen, rejected) =>
      add(neg(logSigmoid(sub(chosen, rejected))), mul(square(add(chosen, rejected)), 0.01)),
    ),
    'partition/cancels',
  ],
  [
    'is an unguarded log-exp (OpenRLHF)',
    ofScores((chosen, rejected) => log(add(1, exp(sub(rejected, chosen))))),
    'bradley-terry/far-margins',
  ],
]

describe('laws of objectives', () => {
  it.each(right.map((options) => [options.name, options] as const))('hold for %s', async (_, options) => {
    const suite = lawsOfObjective(options)
    expect(suite.unproven).toEqual([])
    expect((await checkSuite(suite, { runs: 40 })).flatMap(({ message }) => message ?? [])).toEqual([])
  })

  it.each(mutants)('kill one that %s', async (_, options, killer) => {
    const law = lawsOfObjective(options).laws.find(({ name }) => name === killer)
    expect(law, killer).toBeDefined()
    const { status } = await checkLaw(law!, { runs: 100, seed: 1 })
    expect(status).toBe('fails')
  })

  it('each has killed', () => {
    const laws = [plain, ofSingles, conservative, robust].flatMap((options) => lawsOfObjective(options).laws)
    const killers = new Set(mutants.map(([, , killer]) => killer))
    expect([...new Set(laws.map(({ name }) => name))].filter((name) => !killers.has(name))).toEqual([])
  })

  it('say which claims decide what is checked', () => {
    const { unsupported, laws } = lawsOfObjective({ ...plain, claims: { cancelsPartition: false } })
    expect(laws.map(({ name }) => name)).toContain('partition/remains')
    expect(unsupported.map(({ capability }) => capability)).toContain('cancelsPartition')
    const coupled = lawsOfObjective({ ...plain, objective: objective(sigmoidLoss, { coupled: true }) })
    expect(coupled.unsupported).toContainEqual({ capability: 'decomposable', laws: ['split/micro-batches'] })
  })
})
