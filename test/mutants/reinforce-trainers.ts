import type {
  CollimateEvents,
  EstimatorRequest,
  EventName,
  Objective,
  ObjectiveUse,
  Policy,
  TrainerContext,
} from '@collimate/core'
import { mul, stopGradient, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { baselineEstimator, lawsOfTrainer } from '@collimate/laws'
import type { BaselineName, TrainerSubject } from '@collimate/laws'
import {
  reinforce,
  reinforceLossOptions,
  reinforceObjective,
  reinforceOptions,
  reinforceTrainer,
} from '@collimate/trainer-reinforce'
import { mutantsOf, type Mutation } from './mutant.js'
import { withLoss } from './objective-wraps.js'
import { metric, ofAnyTrainer, within, withPolicy, type CreateTrainer } from './trainers.js'

/** What a suite of the trainer is made of. */
type Parts = Pick<TrainerSubject, 'create' | 'objectives'> & { readonly baseline: BaselineName }
type PartsMutation = Mutation<Parts>

const objectives = ({ options }: ObjectiveUse): Objective<Tensor> =>
  reinforceObjective(reinforceLossOptions.parse(options))

const rightOf = (given: object, baseline: BaselineName = 'leave-one-out'): Parts => ({
  create: (options) => reinforceTrainer(reinforceOptions.parse({ ...options, ...given })),
  ...{ objectives, baseline },
})

/** A mutation of the trainer alone. */
const ofTrainer = ({ wrong, ...mutation }: Mutation<CreateTrainer>): PartsMutation => ({
  ...mutation,
  wrong: (right) => ({ ...right, create: wrong(right.create) }),
})

/** Other options than those that were asked for. */
const instead = (id: string, defect: string, what: string, given: object): PartsMutation => ({
  ...{ id: `reinforce-${id}`, defect, what },
  wrong: () => rightOf(given),
})

/** What the estimator is asked is changed on the way. */
const asking = (change: (request: EstimatorRequest) => EstimatorRequest) =>
  within((context) => ({
    ...context,
    ...(context.estimator && {
      estimator: { estimate: (request) => context.estimator!.estimate(change(request)) },
    }),
  }))

/** What the bus is told is changed on the way. */
const telling = <Name extends EventName>(
  event: Name,
  change: (payload: CollimateEvents[Name]) => CollimateEvents[Name],
) =>
  within((context) => ({
    ...context,
    bus: {
      ...context.bus,
      emit: (name, payload) =>
        context.bus.emit(name, (name === (event as string) ? change(payload as never) : payload) as typeof payload),
    },
  }))

/** Updates with other log-probs of the policy that sampled. */
const withOldLogProbs = (of: (context: TrainerContext) => Pick<Policy, 'logProbs'> | undefined) =>
  within((context) => ({
    ...context,
    policy: {
      ...context.policy,
      async update(request) {
        const { temperature = 1 } = request
        const batches = await Promise.all(
          request.batches.map(async (batch) => ({
            ...batch,
            inputs: {
              ...batch.inputs,
              oldLogProbs: Float64Array.from((await of(context)?.logProbs({ batch, temperature })) ?? []),
            },
          })),
        )
        return context.policy.update({ ...request, batches })
      },
    },
  }))

/** The score of a row stands in its last column, real or not. */
function scoreAtTheEnd(request: EstimatorRequest): EstimatorRequest {
  const { rows, width, mask, rewards } = request
  const moved = rewards.slice()
  for (let row = 0; row < rows; row++) {
    const last = mask.slice(row * width, (row + 1) * width).lastIndexOf(1)
    if (last < 0 || last === width - 1) continue
    moved[(row + 1) * width - 1] = rewards[row * width + last]
    moved[row * width + last] = 0
  }
  return { ...request, rewards: moved }
}

/** The most likely token in place of the one that was sampled, wherever a log-prob is taken for an update. */
const greedyTargets = withPolicy((policy) => ({
  ...policy,
  async update(request) {
    const { vocabularySize } = await policy.describe()
    const batches = await Promise.all(
      request.batches.map(async (batch) => {
        const all = await Promise.all(
          Array.from({ length: vocabularySize }, (_, token) =>
            policy.logProbs({ batch: { ...batch, targets: batch.targets.map(() => token) } }),
          ),
        )
        const best = (t: number) => all.reduce((found, row, token) => (row[t] > all[found][t] ? token : found), 0)
        return { ...batch, targets: batch.targets.map((_, t) => best(t)) }
      }),
    )
    return policy.update({ ...request, batches })
  },
}))

/** A metric of the rewards that the estimator was asked about, each with its KL penalty. */
const afterPenalty =
  (name: string, of: (totals: readonly number[], groupSize: number) => number): Mutation<CreateTrainer>['wrong'] =>
  (right) =>
  (options) => {
    let asked: EstimatorRequest | undefined
    const watching = within((context) => {
      context.bus.on('advantages.estimated', ({ request }) => (asked = request))
      return context
    })
    const changed = metric(name, (value) => {
      if (!asked) return value
      const { rows, width, rewards, groupSize = 1 } = asked
      const totals = Array.from({ length: rows }, (_, row) =>
        rewards.subarray(row * width, (row + 1) * width).reduce((sum, reward) => sum + reward, 0),
      )
      return of(totals, groupSize)
    })
    return changed(watching(right))(options)
  }

const deviation = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1))
}

const ofReinforce: readonly PartsMutation[] = [
  ofTrainer({
    id: 'reinforce-sign',
    defect: 'class 31',
    what: 'it goes down where it should climb',
    wrong: within((context) => ({
      ...context,
      ...(context.reward && {
        reward: {
          ...context.reward,
          async score(request) {
            const reply = await context.reward!.score(request)
            return { ...reply, scores: reply.scores.map((row) => row.map((score) => -score)) }
          },
        },
      }),
    })),
  }),
  ofTrainer({
    id: 'reinforce-kl-rewarded',
    defect: 'L1',
    what: 'the KL to the reference is added to the reward',
    wrong: (right) => (options) => {
      const { beta = 0 } = options
      return asking((request) => ({
        ...request,
        rewards: request.rewards.map(
          (reward, slot) => reward + 2 * beta * (request.logProbs[slot] - (request.refLogProbs?.[slot] ?? 0)),
        ),
      }))(right)(options)
    },
  }),
  instead('beta-ignored', 'class 34', 'beta is read and the default is used', { beta: 0.05 }),
  instead(
    'mean-over-tokens',
    'class 27',
    'losses are averaged over all tokens, where the mean over completions is meant',
    {
      lossType: 'dapo',
      importanceSamplingLevel: 'token',
    },
  ),
  instead('mean-over-lengths', 'class 27', 'each completion is averaged over its tokens: short ones weigh more', {
    lossType: 'grpo',
    importanceSamplingLevel: 'token',
  }),
  {
    id: 'reinforce-baseline-includes-own',
    defect: 'class 40',
    what: 'the baseline contains the own reward',
    wrong: (right) => ({ ...right, baseline: 'group-mean' }),
  },
  {
    id: 'reinforce-divides-by-deviation',
    defect: 'class 38',
    what: 'advantages are divided by the standard deviation of their prompt, which turns the gradient',
    wrong: (right) => ({ ...right, baseline: 'group-std' }),
  },
  ofTrainer({
    id: 'reinforce-group-is-batch',
    defect: 'class 25',
    what: 'the completions of all prompts are one group',
    wrong: asking((request) => ({ ...request, groupSize: request.rows })),
  }),
  ofTrainer({
    id: 'reinforce-reward-at-padding',
    defect: 'class 5',
    what: 'the score stands behind the end of a completion that is shorter than others',
    wrong: asking(scoreAtTheEnd),
  }),
  ofTrainer({
    id: 'reinforce-update-at-temperature-1',
    defect: 'class 47',
    what: 'updates compute log-probs without the temperature',
    wrong: withPolicy((policy) => ({
      ...policy,
      update: ({ temperature: _, ...request }) => policy.update(request),
    })),
  }),
  ofTrainer({
    id: 'reinforce-reference-at-temperature-1',
    defect: 'class 47',
    what: 'log-probs of the reference are those without the temperature',
    wrong: within((context) => ({
      ...context,
      ...(context.reference && {
        reference: {
          ...context.reference,
          outputs: ({ temperature: _, ...request }) => context.reference!.outputs(request),
        },
      }),
    })),
  }),
  ofTrainer({
    id: 'reinforce-ratio-to-reference',
    defect: 'L15, L16',
    what: 'the ratio is that to the reference, not to the policy that sampled',
    wrong: withOldLogProbs(({ reference }) => reference),
  }),
  ofTrainer({
    id: 'reinforce-greedy-log-probs',
    defect: 'L14',
    what: 'the log-prob is that of the most likely token, not of the one that was sampled',
    wrong: greedyTargets,
  }),
  ofTrainer({
    id: 'reinforce-stale-sampler',
    defect: 'class 51',
    what: 'samples come from the policy as it was before training',
    wrong: within((context) => ({
      ...context,
      policy: {
        ...context.policy,
        generate: (request) => (context.reference ?? context.policy).generate(request),
      },
    })),
  }),
  ofTrainer({
    id: 'reinforce-one-sample-a-prompt',
    defect: 'class 26',
    what: 'the completions of a prompt share their random numbers, and so are one',
    wrong: within((context) => ({
      ...context,
      policy: {
        ...context.policy,
        generate: ({ streams = [], prompts, ...request }) => {
          const first = (at: number) => prompts.findIndex((prompt) => prompt === prompts[at])
          return context.policy.generate({ ...request, prompts, streams: streams.map((_, at) => streams[first(at)]) })
        },
      },
    })),
  }),
  ofTrainer({
    id: 'reinforce-same-samples',
    defect: 'class 54',
    what: 'every step draws the same random numbers',
    wrong: within((context) => ({
      ...context,
      policy: {
        ...context.policy,
        generate: ({ streams = [], ...request }) =>
          context.policy.generate({ ...request, streams: streams.map((_, at) => at) }),
      },
    })),
  }),
  ofTrainer({
    id: 'reinforce-mean-of-present',
    defect: 'class 40',
    what: 'the moving mean has the rewards of the present step in it',
    wrong: telling('advantages.estimated', ({ request, ...rest }) => ({
      ...rest,
      request: { ...request, meanReward: meanOf(request) },
    })),
  }),
  ofTrainer({
    id: 'reinforce-zero-std-after-penalty',
    defect: 'L22',
    what: 'frac_reward_zero_std is taken after the KL penalty: equal rewards have spread once the policy has moved',
    wrong: afterPenalty('frac_reward_zero_std', (totals, groupSize) => {
      const groups = Array.from({ length: totals.length / groupSize }, (_, g) =>
        totals.slice(g * groupSize, (g + 1) * groupSize),
      )
      return groups.filter((group) => deviation(group) < 1e-8).length / groups.length
    }),
  }),
  ofTrainer({
    id: 'reinforce-logs-penalised-reward',
    defect: 'class 55',
    what: 'the logged reward is that after the KL penalty',
    wrong: afterPenalty('reward', (totals) => totals.reduce((sum, total) => sum + total, 0) / totals.length),
  }),
  ofTrainer({
    id: 'reinforce-spread-of-group',
    defect: 'class 55',
    what: 'the logged spread of rewards is half of what it is',
    wrong: metric('reward_std', (value) => value / 2),
  }),
  ofTrainer({
    id: 'reinforce-kl-of-padding',
    defect: 'L7',
    what: 'the logged KL is a mean over padding too',
    wrong: metric('kl', (value) => value / 2),
  }),
  ofTrainer({
    id: 'reinforce-tells-late-version',
    defect: 'class 51',
    what: 'samples are stamped with the version after the update',
    wrong: telling('rollout.sampled', ({ rollouts, ...rest }) => ({
      ...rest,
      rollouts: rollouts.map((rollout) => ({ ...rollout, version: rollout.version + 1 })),
    })),
  }),
]

function meanOf({ rows, rewards, meanReward }: EstimatorRequest): number {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rows
  return meanReward === undefined ? mean : 0.9 * meanReward + 0.1 * mean
}

/** A KL in the loss: β KL of the completion by another estimator than k2. */
const klInLoss = (
  id: string,
  what: string,
  of: (right: Objective<Tensor>, beta: number) => Objective<Tensor>,
): PartsMutation => ({
  ...{ id: `reinforce-${id}`, defect: 'class 32', what },
  wrong: (right) => ({
    ...right,
    objectives: (use) => of(objectives(use), reinforceLossOptions.parse(use.options).beta),
  }),
})

const ofKlInLoss: readonly PartsMutation[] = [
  klInLoss('kl-k1-in-loss', 'the KL in the loss is k1, whose expected gradient is 0', (right, beta) =>
    withLoss(right, (perUnit, t) => {
      const r = t.sumBySequence(sub(t.logProbs, t.inputs.refLogProbs))
      return sub(perUnit, sub(mul(mul(r, r), beta / 2), mul(r, beta)))
    }),
  ),
  klInLoss('kl-without-gradient', 'the KL in the loss has no gradient', (right, beta) =>
    withLoss(right, (perUnit, t) => {
      const r = t.sumBySequence(sub(t.logProbs, t.inputs.refLogProbs))
      const kl = mul(mul(r, r), beta / 2)
      return sub(perUnit, sub(kl, stopGradient(kl)))
    }),
  ),
  instead(
    'kl-k3-in-loss',
    'class 32',
    'the KL in the loss is k3 without ratio: the divergence in the other direction',
    {
      ...{ klIn: 'loss', klEstimator: 'k3' },
    },
  ),
  instead('kl-per-token-in-loss', 'class 32', 'the KL in the loss is that of each token by itself', {
    ...{ klIn: 'loss', importanceSamplingLevel: 'token' },
  }),
  instead('kl-twice', 'class 34', 'beta counts twice', { klIn: 'loss', beta: 2 }),
]

const suiteWith =
  (claims: Readonly<Record<string, unknown>>) =>
  ({ create, objectives: made, baseline }: Parts, name: string) =>
    lawsOfTrainer({ name, create, objectives: made, estimator: () => baselineEstimator(baseline), claims })

export const reinforceTrainers = [
  mutantsOf<Parts>({
    subject: 'trainer reinforce',
    right: rightOf({}),
    suite: suiteWith(reinforce.definition.capabilities ?? {}),
    mutations: [
      ...ofAnyTrainer.map((mutation) => ofTrainer({ ...mutation, id: mutation.id.replace('trainer', 'reinforce') })),
      ...ofReinforce,
    ],
  }),
  mutantsOf<Parts>({
    subject: 'trainer reinforce (klIn loss)',
    right: rightOf({ klIn: 'loss' }),
    suite: suiteWith({ optimum: 'reward', policyGradient: true }),
    mutations: ofKlInLoss,
  }),
]
