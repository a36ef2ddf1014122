import type {
  CollimateEvents,
  EstimatorReply,
  EstimatorRequest,
  Model,
  ModelSnapshot,
  Policy,
  Rollout,
  StepReport,
  TrainerContext,
  UpdateReport,
  UpdateRequest,
} from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { contextsOf } from '../world/contexts.js'
import { exampleOf } from '../world/distribution-of.js'
import { promptExamples } from '../world/datasets.js'
import { tableName } from '../world/tabular-programs.js'
import { tabularPolicy } from '../world/tabular-policy.js'
import type { World } from '../world/world.js'
import { contextOf } from './drive.js'
import type { LawTrainerOptions, Subject } from './subject.js'

export interface Update {
  readonly request: UpdateRequest
  readonly report: UpdateReport
}

/** All that happened in one step of a trainer that learns from rollouts with a critic. */
export interface ProximalStep {
  readonly metrics: StepReport['metrics']
  readonly rollouts: readonly Rollout[]
  /** Completions of each prompt. */
  readonly groupSize: number
  /** The prompts that the data gave for this step. */
  readonly prompts: readonly Int32Array[]
  /** [n] rewards before any penalty. */
  readonly scores: Float64Array
  /** What the estimator was really asked, and what it answered. */
  readonly request: EstimatorRequest
  readonly reply: EstimatorReply
  /** What the bus was told of it. */
  readonly told: CollimateEvents['advantages.estimated']
  readonly policyUpdates: readonly Update[]
  readonly criticUpdates: readonly Update[]
  /** The policy before its first update, and after it. */
  readonly before: ModelSnapshot
  readonly after: ModelSnapshot
  /** For each rollout the reference's log-probs of its tokens, at the sampling temperature. */
  readonly refLogProbs: readonly ArrayLike<number>[]
  /** For each rollout the critic's values of its states before this step: before each token, and after the last. */
  readonly values: readonly (readonly number[])[]
}

/** Runs a trainer with a critic for some steps and writes everything down. The critic begins with values that are not 0. */
export async function proximalRun(
  subject: Subject,
  world: World,
  given: Partial<LawTrainerOptions>,
  totalSteps: number,
): Promise<readonly ProximalStep[]> {
  const trainer = subject.create(subject.options(world, { steps: totalSteps, loggingSteps: 1, batchSize: 3, ...given }))
  const policy = subject.start(world)
  const reference = await policy.reference()
  const surroundings = subject.surroundings(trainer, world)
  const critic = tabularPolicy(world, { objective: subject.objectives, head: 'score', start: world.rewards })
  const { estimator } = surroundings
  if (!estimator) throw new RangeError('a trainer that claims to be proximal needs an estimator to be judged with')

  let updates: { policy: Update[]; critic: Update[] } = { policy: [], critic: [] }
  let snapshots: ModelSnapshot[] = []
  let asked: { request: EstimatorRequest; reply: EstimatorReply }[] = []
  const watched = <Watched extends Model>(model: Watched, role: 'policy' | 'critic'): Watched => ({
    ...model,
    async update(request: UpdateRequest) {
      if (role === 'policy' && updates.policy.length === 0) snapshots = [await model.snapshot()]
      const report = await model.update(request)
      if (role === 'policy' && updates.policy.length === 0) snapshots.push(await model.snapshot())
      updates[role].push({ request, report })
      return report
    },
  })
  try {
    const { context: made } = contextOf(trainer, {
      ...{ policy: watched<Policy>(policy, 'policy'), reference, train: promptExamples(world, 4), totalSteps, seed: 3 },
      ...{ cacheFolder: await subject.cacheFolder(), ...surroundings },
      ...(surroundings.critic && { critic: watched<Model>(critic, 'critic') }),
      estimator: {
        async estimate(request) {
          const reply = await estimator.estimate(request)
          asked.push({ request, reply })
          return reply
        },
      },
    })
    const { data } = made
    let prompts: readonly Int32Array[] = []
    const context: TrainerContext = {
      ...made,
      data: {
        ...data,
        async next(count) {
          const examples = await data.next(count)
          prompts = examples.map(({ prompt }) => prompt)
          return examples
        },
      },
    }
    const heard: Partial<CollimateEvents> = {}
    for (const name of ['rollout.sampled', 'rollout.scored', 'advantages.estimated'] as const)
      context.bus.on(name, (event) => Object.assign(heard, { [name]: event }))

    const found: ProximalStep[] = []
    const steps = trainer.steps(context)
    for (;;) {
      const valueOf = valuesOf(world, await (surroundings.critic ? critic : policy).snapshot())
      updates = { policy: [], critic: [] }
      asked = []
      const next = await steps.next()
      if (next.done) break
      const { rollouts, groupSize } = heard['rollout.sampled'] as CollimateEvents['rollout.sampled']
      const refLogProbs: ArrayLike<number>[] = []
      for (const { prompt, completion, temperature } of rollouts) {
        const batch = forestBatch([exampleOf(0, Array.from(prompt.ids), [Array.from(completion.ids)])])
        refLogProbs.push((await reference.logProbs({ batch, temperature })).slice(0, completion.ids.length))
      }
      found.push({
        ...{ metrics: next.value.metrics, rollouts, groupSize, prompts, refLogProbs, ...asked[0] },
        scores: (heard['rollout.scored'] as CollimateEvents['rollout.scored']).rewards,
        told: heard['advantages.estimated'] as CollimateEvents['advantages.estimated'],
        ...{ policyUpdates: updates.policy, criticUpdates: updates.critic },
        ...{ before: snapshots[0], after: snapshots[1] },
        values: rollouts.map(({ prompt, completion }) =>
          Array.from({ length: completion.ids.length + 1 }, (_, t) =>
            valueOf([...prompt.ids, ...completion.ids.slice(0, t)]),
          ),
        ),
      })
    }
    return found
  } finally {
    await Promise.all([reference.close(), policy.close(), critic.close()])
  }
}

/** The value of a state, by its tokens: the last number in the row of its context. */
function valuesOf(world: World, { tensors }: ModelSnapshot): (tokens: readonly number[]) => number {
  const contexts = contextsOf(world, { finished: true })
  const { data, shape } = tensors[tableName]
  const width = shape[1]
  return (tokens) => data[(contexts.of(tokens) + 1) * width - 1]
}
