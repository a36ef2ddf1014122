import type { Objective } from '@collimate/core'
import { div, exp, maximum, mean, minimum, mul, neg, square, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { lawsOfObjective, ownFormulas } from '@collimate/laws'
import type { ExampleCase } from '@collimate/laws'
import { ppoLossOptions, ppoObjective, valueLossOptions, valueObjective } from '@collimate/trainer-ppo'
import { mutantsOf, type Mutation } from './mutant.js'
import { withLoss, withTensors } from './objective-wraps.js'
import { ofAnyLoss } from './objectives.js'

type ObjectiveMutation = Mutation<Objective<Tensor>>
type Token = ExampleCase['sequences'][number]['tokens'][number]

const clip = { low: 0.2, high: 0.3 }
const policy = (options: object = {}): Objective<Tensor> =>
  ppoObjective(ppoLossOptions.parse({ cliprange: clip.low, cliprangeHigh: clip.high, ...options }))
const critic = (options: object = {}): Objective<Tensor> => valueObjective(valueLossOptions.parse(options))

const suiteOf = (of: (token: Token) => number) => (objective: Objective<Tensor>, name: string) =>
  lawsOfObjective({
    ...{ name, objective, kind: 'tokens', claims: { fullGradient: true } },
    formula: (examples) => {
      const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
      return tokens.reduce((sum, token) => sum + of(token), 0) / tokens.length
    },
  })

/** The loss that is made of the ratio and the advantage. */
const surrogate = (of: (ratio: Tensor, advantages: Tensor) => Tensor) => (right: Objective<Tensor>) =>
  withLoss(right, (_, { logProbs, inputs }) =>
    of(exp(minimum(sub(logProbs, inputs.oldLogProbs), 20)), inputs.advantages),
  )
const clamped = (ratio: Tensor): Tensor => minimum(maximum(ratio, 1 - clip.low), 1 + clip.high)

const ofPolicy: readonly ObjectiveMutation[] = [
  {
    id: 'ppo-loss-unclipped',
    defect: 'class 30',
    what: 'the clip range is read and not applied',
    wrong: surrogate((ratio, advantages) => neg(mul(advantages, ratio))),
  },
  {
    id: 'ppo-loss-optimistic',
    defect: 'class 37',
    what: 'the smaller of the two losses is kept, not the larger',
    wrong: surrogate((ratio, advantages) => minimum(neg(mul(advantages, ratio)), neg(mul(advantages, clamped(ratio))))),
  },
  {
    id: 'ppo-loss-always-clipped',
    defect: '-',
    what: 'the clipped term alone is kept, so that nothing leads back from a bad action',
    wrong: surrogate((ratio, advantages) => neg(mul(advantages, clamped(ratio)))),
  },
  {
    id: 'ppo-loss-one-range',
    defect: 'class 30',
    what: 'the lower range is used above too',
    wrong: () => policy({ cliprangeHigh: clip.low }),
  },
  {
    id: 'ppo-loss-ratio-reversed',
    defect: 'class 31',
    what: 'the ratio is that of the old policy to the new one',
    wrong: (right) =>
      withTensors(right, (t) => ({ logProbs: t.inputs.oldLogProbs, inputs: { ...t.inputs, oldLogProbs: t.logProbs } })),
  },
  {
    id: 'ppo-loss-unlimited-ratio',
    defect: 'class 49',
    what: 'the log of the ratio is not limited, and the ratio overflows',
    wrong: (right) =>
      withLoss(right, (_, { logProbs, inputs }) => {
        const ratio = exp(sub(logProbs, inputs.oldLogProbs))
        return maximum(neg(mul(inputs.advantages, ratio)), neg(mul(inputs.advantages, clamped(ratio))))
      }),
  },
  {
    id: 'ppo-loss-normalised-between',
    defect: 'class 36',
    what: 'the advantages are centred between the two surrogates',
    wrong: surrogate((ratio, advantages) =>
      maximum(neg(mul(advantages, ratio)), neg(mul(sub(advantages, mean(advantages)), clamped(ratio)))),
    ),
  },
]

const ofCritic: readonly ObjectiveMutation[] = [
  {
    id: 'value-loss-unclipped',
    defect: 'class 30',
    what: 'the clip range of values is read and not applied',
    wrong: (right) => withLoss(right, (_, { values, inputs }) => div(square(sub(values, inputs.returns)), 2)),
  },
  {
    id: 'value-loss-twice',
    defect: '-',
    what: 'the half is forgotten',
    wrong: (right) => withLoss(right, (perUnit) => mul(perUnit, 2)),
  },
  {
    id: 'value-loss-clips-around-returns',
    defect: '-',
    what: 'values are kept near the returns, not near the old values',
    wrong: (right) => withTensors(right, (t) => ({ inputs: { ...t.inputs, oldValues: t.inputs.returns } })),
  },
  {
    id: 'value-loss-weight-ignored',
    defect: 'class 30',
    what: 'vfCoef is read and not applied',
    wrong: () => critic({ vfCoef: 1 }),
  },
]

/** The losses of PPO. */
export const ppoLosses = [
  mutantsOf<Objective<Tensor>>({
    subject: 'ppo',
    right: policy(),
    suite: suiteOf((token) =>
      ownFormulas.clippedSurrogate(Math.min(20, token.logProbs - token.oldLogProbs), token.advantages, clip),
    ),
    mutations: [...ofAnyLoss.map((mutation) => ({ ...mutation, id: `ppo-${mutation.id}` })), ...ofPolicy],
  }),
  mutantsOf<Objective<Tensor>>({
    subject: 'value',
    right: critic(),
    suite: suiteOf(
      ({ values, oldValues, returns }) => 0.1 * ownFormulas.clippedValueLoss(values, oldValues, returns, 0.2),
    ),
    mutations: ofCritic,
  }),
]
