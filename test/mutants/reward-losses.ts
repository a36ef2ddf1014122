import type { Objective } from '@collimate/core'
import {
  add,
  broadcastTo,
  cast,
  exp,
  greater,
  greaterEqual,
  less,
  log1p,
  max,
  mean,
  mul,
  neg,
  sub,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { lawsOfObjective, rewardModelLoss, type ObjectiveClaims } from '@collimate/laws'
import { rewardObjective } from '@collimate/trainer-reward'
import { mutantsOf, type Mutation } from './mutant.js'
import { answers, withLoss, withMetric, withTensors } from './objective-wraps.js'
import { ofAnyLoss } from './objectives.js'

type ObjectiveMutation = Mutation<Objective<Tensor>>

const right = (centerRewardsCoefficient = 0): Objective<Tensor> => rewardObjective({ centerRewardsCoefficient })

const pairs = (centring: number, claims: ObjectiveClaims, mutations: readonly ObjectiveMutation[]) =>
  mutantsOf<Objective<Tensor>>({
    subject: centring > 0 ? 'reward (margins, centring)' : 'reward (margins)',
    right: right(centring),
    suite: (objective, name) =>
      lawsOfObjective({
        ...{ name, objective, kind: 'pairs', claims: { fullGradient: true, scoreMetrics: true, ...claims } },
        formula: (examples) =>
          rewardModelLoss(
            examples.map(({ sequences: [chosen, rejected], pair: { margin } }) => ({
              ...{ chosen: chosen.whole.scores, rejected: rejected.whole.scores, margin },
            })),
            centring,
          ),
      }),
    mutations,
  })

const withMargin =
  (change: (margin: Tensor) => Tensor): ObjectiveMutation['wrong'] =>
  (objective) =>
    withTensors(objective, ({ inputs }) => ({ inputs: { ...inputs, margin: change(inputs.margin) } }))

const withScores =
  (change: (scores: Tensor) => Tensor): ObjectiveMutation['wrong'] =>
  (objective) =>
    withTensors(objective, ({ scores }) => ({ scores: change(scores) }))

/** Compares the chosen with the rejected scores of each pair in another way. */
const accuracyBy =
  (compare: (chosen: Tensor, rejected: Tensor) => Tensor): ObjectiveMutation['wrong'] =>
  (objective) =>
    withMetric(objective, 'accuracy', (metric, { mean_reward: { perUnit } }) => {
      const { chosen, rejected } = answers(perUnit)
      return { ...metric, perUnit: cast(compare(chosen, rejected), 'float') }
    })

/** The mean over the batch, in every slot. */
const everywhere = (values: Tensor): Tensor => broadcastTo(mean(values), values.shape)

export const rewardLosses = [
  pairs(0, { cancelsPartition: true, antisymmetric: true, monotone: true, margin: true }, [
    ...ofAnyLoss.map((mutation) => ({ ...mutation, id: `reward-${mutation.id}` })),
    {
      id: 'reward-pairs-swapped',
      defect: 'class 37',
      what: 'the rejected answer is taught to score higher',
      wrong: withScores(neg),
    },
    {
      id: 'reward-margin-sign',
      defect: 'class 37',
      what: 'the margin is added to the lead of the chosen answer',
      wrong: withMargin(neg),
    },
    {
      id: 'reward-margin-ignored',
      defect: 'L18',
      what: 'margins are accepted and not used',
      wrong: withMargin((margin) => mul(margin, 0)),
    },
    {
      id: 'reward-naive-log-sigmoid',
      defect: 'L18, L25',
      what: '−log σ is log(1 + exp(−d)) without a guard',
      wrong: (objective) =>
        withLoss(objective, (_, { scores, inputs: { margin } }) => {
          const { chosen, rejected } = answers(scores)
          return log1p(exp(neg(sub(sub(chosen, rejected), margin))))
        }),
    },
    {
      id: 'reward-centred-unasked',
      defect: 'class 30',
      what: 'rewards are pulled to 0 although nobody asked',
      wrong: () => right(0.01),
    },
    {
      id: 'reward-accuracy-of-batch-means',
      defect: 'L12',
      what: 'the accuracy compares the means of the batch: 0 or 1 for all of it',
      wrong: accuracyBy((chosen, rejected) => greater(everywhere(chosen), everywhere(rejected))),
    },
    {
      id: 'reward-accuracy-of-ties',
      defect: 'class 55',
      what: 'a tie counts as right',
      wrong: accuracyBy(greaterEqual),
    },
    {
      id: 'reward-accuracy-reversed',
      defect: 'class 37',
      what: 'the accuracy counts the pairs whose rejected answer wins',
      wrong: accuracyBy(less),
    },
    {
      id: 'reward-accuracy-with-margin',
      defect: 'class 55',
      what: 'a pair is right only where the lead is greater than the margin of the data',
      wrong: (objective) => ({
        ...objective,
        metrics(t) {
          const { chosen, rejected } = answers(t.scores)
          const perUnit = cast(greater(sub(chosen, rejected), t.inputs.margin), 'float')
          return { ...objective.metrics(t), accuracy: { perUnit, unit: 'pairs' } }
        },
      }),
    },
    {
      id: 'reward-extremes-averaged',
      defect: 'L21',
      what: 'the greatest reward is the mean over batches of the greatest of each',
      wrong: (objective) =>
        withMetric(objective, 'max_reward', ({ perUnit, unit }) => ({
          ...{ perUnit: broadcastTo(max(perUnit), perUnit.shape), unit },
        })),
    },
    {
      id: 'reward-least-of-chosen',
      defect: 'class 55',
      what: 'the least reward is that of the chosen answers alone',
      wrong: (objective) =>
        withMetric(objective, 'min_reward', (metric) => ({
          ...metric,
          perUnit: answers(metric.perUnit).chosen,
          unit: 'pairs',
        })),
    },
    {
      id: 'reward-margin-of-data-logged',
      defect: 'class 55',
      what: 'the logged margin is that of the data',
      wrong: (objective) => ({
        ...objective,
        metrics: (t) => ({ ...objective.metrics(t), margin: { perUnit: t.inputs.margin, unit: 'pairs' } }),
      }),
    },
  ]),
  pairs(0.25, { cancelsPartition: false }, [
    {
      id: 'reward-centring-dropped',
      defect: 'class 30',
      what: 'centring is read and not applied',
      wrong: () => right(),
    },
    {
      id: 'reward-centring-of-difference',
      defect: '-',
      what: 'the difference of the rewards is pulled to 0, not their sum',
      wrong: () =>
        withLoss(right(), (perUnit, { scores }) => {
          const { chosen, rejected } = answers(scores)
          const difference = sub(chosen, rejected)
          return add(perUnit, mul(mul(difference, difference), 0.25))
        }),
    },
  ]),
]
