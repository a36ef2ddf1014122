import type { EstimatorRequest, ForestBatch, Model, TrainerContext, UpdateRequest } from '@collimate/core'
import { gaeEstimator, lawsOfTrainer } from '@collimate/laws'
import {
  ppo,
  ppoLossOptions,
  ppoObjective,
  ppoOptions,
  ppoTrainer,
  valueLossOptions,
  valueObjective,
} from '@collimate/trainer-ppo'
import { sourcesEarly, sourcesLate, type BatchChange } from './batches.js'
import { mutantsOf, type Mutation } from './mutant.js'
import { metric, ofAnyTrainer, within, withPolicy, type CreateTrainer } from './trainers.js'

type TrainerMutation = Mutation<CreateTrainer>

const withCritic = (change: (critic: Model, context: TrainerContext) => Model) =>
  within((context) => ({ ...context, ...(context.critic && { critic: change(context.critic, context) }) }))

/** What the estimator is asked is changed on the way. */
const asking = (change: (request: EstimatorRequest) => EstimatorRequest) =>
  within((context) => {
    const { estimator } = context
    return {
      ...context,
      ...(estimator && { estimator: { estimate: (request) => estimator.estimate(change(request)) } }),
    }
  })

/** An update whose batches get another input, computed by a model. */
async function withInput(
  request: UpdateRequest,
  name: string,
  of: (batch: ForestBatch) => Promise<ArrayLike<number> | undefined>,
): Promise<UpdateRequest> {
  const batches = await Promise.all(
    request.batches.map(async (batch) => ({
      ...batch,
      inputs: { ...batch.inputs, [name]: Float64Array.from((await of(batch)) ?? []) },
    })),
  )
  return { ...request, batches }
}

const valuesOfOthers = (change: BatchChange) =>
  withCritic((critic) => ({
    ...critic,
    outputs: (request) => critic.outputs({ ...request, batch: change(request.batch) }),
  }))

/** Moves the rewards of a row by one token, from the last real one to the first. */
function rewardsMoved(request: EstimatorRequest): EstimatorRequest {
  const { rows, width, mask, rewards } = request
  const moved = rewards.slice()
  for (let row = 0; row < rows; row++) {
    const slots = Array.from({ length: width }, (_, t) => row * width + t).filter((slot) => mask[slot] !== 0)
    slots.forEach((slot, t) => (moved[slots[(t + 1) % slots.length]] = rewards[slot]))
  }
  return { ...request, rewards: moved }
}

const ofPpo: readonly TrainerMutation[] = [
  {
    id: 'ppo-ratio-to-reference',
    defect: 'L15, L16',
    what: 'the ratio is that to the reference, not to the policy that sampled',
    wrong: within((context) => ({
      ...context,
      policy: {
        ...context.policy,
        update: async (request) =>
          context.policy.update(
            await withInput(request, 'oldLogProbs', async (batch) =>
              context.reference?.logProbs({ batch, temperature: request.temperature ?? 1 }),
            ),
          ),
      },
    })),
  },
  {
    id: 'ppo-old-log-probs-move',
    defect: '-',
    what: 'old log-probs are computed again before each update: every ratio is 1 for ever',
    wrong: withPolicy((policy) => ({
      ...policy,
      update: async (request) =>
        policy.update(
          await withInput(request, 'oldLogProbs', (batch) =>
            policy.logProbs({ batch, temperature: request.temperature ?? 1 }),
          ),
        ),
    })),
  },
  {
    id: 'ppo-old-values-move',
    defect: '-',
    what: 'old values are computed again before each update: the clip of values never binds',
    wrong: withCritic((critic) => ({
      ...critic,
      update: async (request) =>
        critic.update(
          await withInput(
            request,
            'oldValues',
            async (batch) => (await critic.outputs({ batch, names: ['values'] })).values,
          ),
        ),
    })),
  },
  {
    id: 'ppo-log-probs-at-temperature-1',
    defect: 'class 47',
    what: 'the temperature is missing in the update',
    wrong: withPolicy((policy) => ({
      ...policy,
      update: ({ temperature: _, ...request }) => policy.update(request),
    })),
  },
  {
    id: 'ppo-sign',
    defect: 'class 31',
    what: 'the policy learns from advantages of the wrong sign',
    wrong: withPolicy((policy) => ({
      ...policy,
      update: async (request) =>
        policy.update(await withInput(request, 'advantages', async ({ inputs }) => inputs.advantages.map((a) => -a))),
    })),
  },
  {
    id: 'ppo-reward-on-the-wrong-token',
    defect: 'class 5',
    what: 'the score comes with the first token',
    wrong: asking(rewardsMoved),
  },
  {
    id: 'ppo-kl-added',
    defect: 'L8',
    what: 'the KL is added to the rewards',
    wrong: (right) => (options) => asking(flippedPenalty(options.beta ?? 0))(right)(options),
  },
  {
    id: 'ppo-kl-ignored',
    defect: 'class 34',
    what: 'beta is read and not applied',
    wrong: (right) => (options) => {
      const { klTarget: _, klHorizon: __, ...rest } = options
      return right({ ...rest, beta: 0 })
    },
  },
  {
    id: 'ppo-controller-ignored',
    defect: 'class 35',
    what: 'beta stays as it is, whatever the KL',
    wrong: (right) => (options) => {
      const { klTarget: _, klHorizon: __, ...rest } = options
      return right(rest)
    },
  },
  {
    id: 'ppo-cut-is-bootstrapped',
    defect: 'class 39',
    what: 'a completion that was cut is bootstrapped although nobody asked',
    wrong: (right) => (options) => right({ ...options, bootstrapTruncated: true }),
  },
  {
    id: 'ppo-cut-is-the-end',
    defect: 'class 39',
    what: 'a completion that was cut is the end, although bootstrapping was asked for',
    wrong: (right) => (options) => right({ ...options, bootstrapTruncated: false }),
  },
  {
    id: 'ppo-runs-past-the-end',
    defect: 'class 58',
    what: 'sampling does not stop at the end token: completions run to the maximum length',
    wrong: withPolicy((policy) => ({
      ...policy,
      generate: (request) => policy.generate({ ...request, sampling: { ...request.sampling, stopTokens: [] } }),
    })),
  },
  {
    id: 'ppo-critic-sees-the-answer',
    defect: 'class 2',
    what: 'the value of a token is that of the state behind it: it has seen the token',
    wrong: valuesOfOthers(sourcesLate),
  },
  {
    id: 'ppo-critic-looks-back',
    defect: 'class 2',
    what: 'the value of a token is that of the state before the last one',
    wrong: valuesOfOthers(sourcesEarly),
  },
  {
    id: 'ppo-critic-learns-nothing',
    defect: 'class 45',
    what: 'the critic measures and never steps',
    wrong: withCritic((critic) => ({ ...critic, update: (request) => critic.update({ ...request, learningRate: 0 }) })),
  },
  {
    id: 'ppo-critic-learns-advantages',
    defect: '-',
    what: 'the critic learns the advantages in place of the returns',
    wrong: withCritic((critic) => ({
      ...critic,
      update: async (request) =>
        critic.update(await withInput(request, 'returns', async ({ inputs }) => inputs.advantages)),
    })),
  },
  {
    id: 'ppo-critic-forgets',
    defect: 'class 54',
    what: 'the critic is not brought back after a resume',
    wrong: withCritic((critic, { startStep }) => {
      let begun = startStep === 0
      return {
        ...critic,
        async outputs(request) {
          if (!begun) {
            begun = true
            const { tensors, ...rest } = await critic.snapshot()
            const cleared = Object.entries(tensors).map(([name, tensor]) => [
              name,
              { ...tensor, data: tensor.data.map(() => 0) },
            ])
            await critic.restore({ snapshot: { ...rest, tensors: Object.fromEntries(cleared) } })
          }
          return critic.outputs(request)
        },
      }
    }),
  },
  {
    id: 'ppo-entropy-of-padding',
    defect: 'L6',
    what: 'the logged entropy loses one nat for each padding token',
    wrong: metric('objective/entropy', (value) => value - 1),
  },
  {
    id: 'ppo-logs-penalty-reversed',
    defect: 'L8',
    what: 'the logged reward is the score plus what the KL costs',
    wrong: metric(
      'objective/rlhf_reward',
      (_, { metrics }) => metrics['objective/scores'] - metrics['objective/non_score_reward'],
    ),
  },
  {
    id: 'ppo-explains-itself',
    defect: 'class 55',
    what: 'the explained variance is its complement',
    wrong: metric('val/explained_variance', (value) => 1 - value),
  },
]

/** Rewards r_t − β kl_t with the sign of the penalty turned. */
const flippedPenalty =
  (beta: number) =>
  (request: EstimatorRequest): EstimatorRequest => {
    const { refLogProbs } = request
    if (!refLogProbs) return request
    const rewards = request.rewards.map((reward, slot) =>
      request.mask[slot] === 0 ? 0 : reward + 2 * beta * (request.logProbs[slot] - refLogProbs[slot]),
    )
    return { ...request, rewards }
  }

/**
 * Of what can go wrong in any trainer, what a step of several updates has of its own; the settings of an update are tried on
 * other trainers. Prompts of the world come round: to read them again from the first on is no mistake there.
 */
const ofSteps = [
  ...['trainer-step-per-micro-batch', 'trainer-loses-micro-batches', 'trainer-loses-last-example'],
  ...['trainer-scores-late', 'trainer-scores-padding', 'trainer-packs-without-borders'],
  ...['trainer-starts-again', 'trainer-forgets-its-state', 'trainer-norm-of-0', 'trainer-logs-another-rate'],
]

/** The trainer `ppo` with a critic of its own. */
export const ppoTrainers = mutantsOf<CreateTrainer>({
  subject: 'trainer ppo',
  right: (options) => ppoTrainer(ppoOptions.parse({ temperature: 1, ...options })),
  suite: (create, name) =>
    lawsOfTrainer({
      ...{ name, create, claims: ppo.definition.capabilities, estimator: gaeEstimator },
      objectives: ({ use, options }) =>
        use === 'value' ? valueObjective(valueLossOptions.parse(options)) : ppoObjective(ppoLossOptions.parse(options)),
    }),
  mutations: [
    ...ofAnyTrainer
      .filter(({ id }) => ofSteps.includes(id))
      .map((mutation) => ({ ...mutation, id: mutation.id.replace('trainer', 'ppo') })),
    ...ofPpo,
  ],
})
