import type { Objective } from '@collimate/core'
import { add, div, exp, expm1, maximum, minimum, mul, neg, square, stopGradient, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { reinforceLossOptions, reinforceObjective } from '@collimate/trainer-reinforce'
import { lossSuite } from '@collimate/trainer-reinforce/laws'
import type { z } from 'zod'
import { mutantsOf, type Mutation } from './mutant.js'
import { withLoss, withReference, withTensors, withTerms } from './objective-wraps.js'
import { ofAnyLoss } from './objectives.js'

type Options = z.input<typeof reinforceLossOptions>
type ObjectiveMutation = Mutation<Objective<Tensor>>

const loss = (options: Options): Objective<Tensor> => reinforceObjective(reinforceLossOptions.parse(options))

/** A right implementation of something else: how an option is ignored. */
const instead = (id: string, defect: string, what: string, options: Options): ObjectiveMutation => ({
  ...{ id: `reinforce-loss-${id}`, defect, what },
  wrong: () => loss(options),
})

const group = (options: Options, mutations: readonly ObjectiveMutation[]) => {
  const settings = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`)
  return mutantsOf<Objective<Tensor>>({
    ...{ subject: `reinforce (${settings.join(', ') || 'defaults'})`, right: loss(options), mutations },
    suite: (objective, name) => lossSuite(name, objective, reinforceLossOptions.parse(options)),
  })
}

const ratios: Options = {
  ...({ importanceSamplingLevel: 'token', lossType: 'grpo', klEstimator: 'k3' } as const),
  ...{ beta: 0.3, cliprangeHigh: 0.28 },
}

export const reinforceLosses = [
  group({}, [
    ...ofAnyLoss.map((mutation) => ({ ...mutation, id: `reinforce-${mutation.id}` })),
    {
      id: 'reinforce-loss-explodes',
      defect: 'class 49',
      what: 'the ratio of a long completion goes through exp without a limit',
      wrong: (right) =>
        withTerms(right, (term, t) => {
          const ratio = exp(t.sumBySequence(sub(t.logProbs, t.inputs.oldLogProbs)))
          const { advantages } = t.inputs
          const clipped = minimum(maximum(ratio, 0.8), 1.2)
          return { ...term, perUnit: neg(minimum(mul(ratio, advantages), mul(clipped, advantages))) }
        }),
    },
    {
      id: 'reinforce-loss-advantage-turned',
      defect: 'class 31',
      what: 'the loss rises with the log-prob of what was better than the others',
      wrong: (right) => withTensors(right, (t) => ({ inputs: { ...t.inputs, advantages: neg(t.inputs.advantages) } })),
    },
    {
      id: 'reinforce-loss-old-follows',
      defect: 'class 30',
      what: 'the ratio is always 1: the clipping never binds',
      wrong: (right) => withTensors(right, (t) => ({ inputs: { ...t.inputs, oldLogProbs: stopGradient(t.logProbs) } })),
    },
    instead(
      'geometric',
      'class 49',
      'the ratio of a completion is the mean over its tokens where the product is meant',
      {
        lossType: 'grpo',
      },
    ),
    instead('clip-ignored', 'class 30', 'the clip range is read and not used', { cliprange: 0.99, cliprangeHigh: 1e9 }),
  ]),
  group(ratios, [
    {
      id: 'reinforce-loss-kl-turned',
      defect: 'L2, L16',
      what: 'k3 is computed from the log-ratio the wrong way round: exp(r) − 1 − r',
      wrong: (right) => withReference(right, (refLogProbs, t) => sub(mul(stopGradient(t.logProbs), 2), refLogProbs)),
    },
    {
      id: 'reinforce-loss-kl-rewarded',
      defect: 'L1',
      what: 'the KL is taken off the loss',
      wrong: (right) => {
        const without = loss({ ...ratios, beta: 0, klEstimator: undefined })
        return withLoss(right, (perUnit, t) => {
          const [{ perUnit: surrogate }] = without.terms(t)
          return sub(mul(surrogate, 2), perUnit)
        })
      },
    },
    instead('kl-k2', 'class 32', 'another estimator of the KL is used than the one that was named', {
      ...ratios,
      klEstimator: 'k2',
    }),
    instead('kl-ratio-unasked', 'class 32', 'the KL is multiplied by the ratio although nobody asked', {
      ...{ ...ratios, klRatio: true },
    }),
    instead('kl-ignored', 'class 34', 'beta is read and half of it is used', { ...ratios, beta: 0.15 }),
    instead('one-range', 'class 30', 'the ratio is clipped above as below', { ...ratios, cliprangeHigh: 0.2 }),
    instead('bnpo', 'L16', 'grpo and bnpo are added up alike', { ...ratios, lossType: 'bnpo' }),
    instead('level-ignored', 'class 30', 'ratios are those of completions where those of tokens are meant', {
      ...{ ...ratios, importanceSamplingLevel: 'sequence' },
    }),
    {
      id: 'reinforce-loss-kl-naive',
      defect: 'L18',
      what: 'the KL goes through exp without a limit',
      wrong: (right) => {
        const without = loss({ ...ratios, beta: 0, klEstimator: undefined })
        return withLoss(right, (_, t) => {
          const r = sub(t.logProbs, t.inputs.refLogProbs)
          const [{ perUnit }] = without.terms(t)
          const lengths = t.sumBySequence(div(add(square(r), 1), add(square(r), 1)))
          return add(perUnit, div(t.sumBySequence(mul(add(expm1(neg(r)), r), 0.3)), maximum(lengths, 1)))
        })
      },
    },
  ]),
]
