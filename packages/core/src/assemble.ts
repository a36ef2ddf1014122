import { resolve } from 'node:path'
import type { Bus } from './bus.js'
import type { Closing } from './closing.js'
import { backendVerbs } from './contracts/backend.js'
import type { Backend } from './contracts/backend.js'
import { dataSourceVerbs } from './contracts/data-source.js'
import type { DataSource } from './contracts/data-source.js'
import { estimatorVerbs } from './contracts/estimator.js'
import { modelVerbs } from './contracts/model.js'
import type { Model } from './contracts/model.js'
import type { Estimator } from './contracts/estimator.js'
import type { Evaluator } from './contracts/evaluator.js'
import type { Objective } from './contracts/objective.js'
import { policyVerbs, referenceVerbs } from './contracts/policy.js'
import type { Policy, Reference } from './contracts/policy.js'
import { rewardSourceVerbs } from './contracts/reward-source.js'
import type { RewardSource } from './contracts/reward-source.js'
import type { Trainer } from './contracts/trainer.js'
import { CollimateError, errorLine } from './errors.js'
import type { PluginContext, PluginKind, PluginKinds } from './plugin.js'
import type { PluginEntry, Registry, ResolvedPlugin } from './registry.js'
import type { ResolvedExperiment } from './resolve-experiment.js'
import { handleOf, serve } from './serve.js'

/** The plugins of a run, alive: handles whose verbs are calls on the bus, except for those that only the runner asks. */
export interface Assembly {
  readonly trainer: Trainer
  readonly evaluators: readonly Evaluator[]
  readonly backend: Backend
  readonly policy: Policy
  readonly data: DataSource
  readonly reward: RewardSource | undefined
  readonly estimator: Estimator | undefined
  readonly critic: Model | undefined
  /** Every model of the run by its role; those that a plugin made for itself have its role. */
  readonly models: readonly HeldModel[]
}

export interface HeldModel {
  readonly role: string
  readonly model: Pick<Model, 'describe'>
}

interface Surroundings {
  readonly bus: Bus
  readonly registry: Registry
  readonly signal: AbortSignal
  readonly closing: Closing
}

/** Makes the plugins of an experiment. Cheap ones come first, so that what they refuse is said before a model is read. */
export async function assemble(experiment: ResolvedExperiment, surroundings: Surroundings): Promise<Assembly> {
  const { bus, closing, signal } = surroundings
  const models: HeldModel[] = []
  const create = async <Kind extends PluginKind>({ plugin, options }: ResolvedPlugin<Kind>) => {
    signal.throwIfAborted()
    const context = pluginContext(experiment, surroundings, (kind, made) => {
      if (kind === 'policy') models.push({ role: plugin.definition.kind, model: made as Policy })
    })
    return (await plugin.definition.create(options, context)) as PluginKinds[Kind]
  }
  /** Serves a plugin under its role; it is closed at the end, and its role is free again. */
  const serving = async <Contract extends object, const Names extends readonly (keyof Contract & string)[]>(
    role: string,
    object: Contract,
    verbs: Names,
  ) => {
    if ('close' in object && typeof object.close === 'function') await closing.add(object.close.bind(object))
    const { handle, dispose } = serve<Contract, Names>(bus, role, object, verbs)
    await closing.add(dispose)
    return handle
  }

  const trainer = await create(experiment.trainer)
  const evaluators: Evaluator[] = []
  for (const evaluator of experiment.evaluators) evaluators.push(await create(evaluator))
  assertComplete(experiment, trainer, evaluators)

  const { estimator, reward } = experiment
  const servedEstimator = estimator && (await serving('estimator', await create(estimator), estimatorVerbs))
  const data = await serving('data', await create(experiment.data), dataSourceVerbs)
  const backend = await serving('backend', await createBackend(experiment, surroundings), backendVerbs)
  const policy = await create(experiment.policy)
  const policyCalls = await serving('policy', policy, policyVerbs)
  models.unshift({ role: 'policy', model: policyCalls })
  let critic: Model | undefined
  if (trainer.plan.requires.critic) {
    critic = await serving('critic', await create(await criticOf(experiment, surroundings)), modelVerbs)
    models.push({ role: 'critic', model: critic })
  }
  const servedReward = reward && (await serving('reward', await create(reward), rewardSourceVerbs))
  return {
    ...{ trainer, evaluators, backend, data, critic, models },
    policy: { ...policyCalls, reference: () => policy.reference() },
    reward: servedReward,
    estimator: servedEstimator,
  }
}

async function createBackend(experiment: ResolvedExperiment, surroundings: Surroundings): Promise<Backend> {
  const { backend: _none, ...withoutBackend } = pluginContext(experiment, surroundings)
  const { plugin, options } = experiment.backend
  return plugin.definition.create(options, withoutBackend)
}

/** The critic of the experiment, or the policy's own model with a scalar head. */
async function criticOf(
  { critic, policy, folder }: ResolvedExperiment,
  { registry }: Surroundings,
): Promise<ResolvedPlugin<'policy'>> {
  return critic ?? registry.resolve('policy', { ...policy.options, use: policy.use, head: 'score' }, folder)
}

/** Freezes the policy as it is now and serves it as `reference`. */
export async function serveReference(policy: Policy, bus: Bus, closing: Closing): Promise<Reference> {
  const reference = await policy.reference()
  await closing.add(() => reference.close())
  const { handle, dispose } = serve<Reference, typeof referenceVerbs>(bus, 'reference', reference, referenceVerbs)
  await closing.add(dispose)
  return handle
}

/** Trackers come first, so that they hear everything. One that fails to attach or to close is a warning. */
export async function attachTrackers(experiment: ResolvedExperiment, surroundings: Surroundings): Promise<void> {
  const { bus, closing } = surroundings
  const context = pluginContext(experiment, surroundings)
  for (const { plugin, options } of experiment.trackers) {
    const tracker = await plugin.definition.create(options, context)
    const { name } = plugin.definition
    const warned = async (act: () => unknown): Promise<void> => {
      try {
        await act()
      } catch (error) {
        bus.emit('warning.raised', {
          code: 'COLLIMATE_TRACKER_FAILED',
          message: `tracker "${name}": ${errorLine(error)}`,
        })
      }
    }
    await closing.add(() => warned(() => tracker.close()))
    await warned(async () => closing.add(tracker.attach(bus)))
  }
}

/** What every plugin of the experiment is created with. `made` is told of the plugins that it makes for itself. */
export function pluginContext(
  { folder, seed }: Pick<ResolvedExperiment, 'folder' | 'seed'>,
  { bus, registry, signal, closing }: Surroundings,
  made: (kind: PluginKind, plugin: PluginKinds[PluginKind]) => void = () => undefined,
): PluginContext {
  const context: PluginContext = {
    ...{ bus, seed, signal },
    backend: handleOf<Backend, typeof backendVerbs>(bus, 'backend', backendVerbs),
    path: (relative) => resolve(folder, relative),
    async objective({ use, options }): Promise<Objective> {
      const found = await registry.resolve('objective', { ...options, use }, folder)
      return found.plugin.definition.create(found.options, context)
    },
    async plugin<Kind extends PluginKind>(kind: Kind, entry: PluginEntry<Kind>) {
      const found = await registry.resolve(kind, entry, folder)
      const object = (await found.plugin.definition.create(found.options, context)) as PluginKinds[Kind]
      if ('close' in object && typeof object.close === 'function') await closing.add(object.close.bind(object))
      made(kind, object)
      return object
    },
  }
  return Object.freeze(context)
}

/** A trainer must have what it needs, and nothing must be given that nobody uses. */
function assertComplete(experiment: ResolvedExperiment, trainer: Trainer, evaluators: readonly Evaluator[]): void {
  const trainerName = `trainer "${experiment.trainer.plugin.definition.name}"`
  const { requires } = trainer.plan
  const rewardUser = requires.reward
    ? trainerName
    : evaluators.flatMap(({ requires }, i) =>
        requires.reward ? [`evaluator "${experiment.evaluators[i].plugin.definition.name}"`] : [],
      )[0]
  const needs = {
    reward: rewardUser,
    estimator: requires.estimator ? trainerName : undefined,
    critic: requires.critic ? trainerName : undefined,
  }
  for (const role of ['reward', 'estimator', 'critic'] as const) {
    // A critic that is not given is made from the policy.
    if (needs[role] !== undefined && experiment[role] === undefined && role !== 'critic')
      throw new CollimateError(
        'COLLIMATE_EXPERIMENT_INCOMPLETE',
        `${needs[role]} needs "${role}", which is not given`,
        {
          hint: `add ${role}: { use: ... } to the experiment`,
        },
      )
    if (needs[role] === undefined && experiment[role] !== undefined)
      throw new CollimateError(
        'COLLIMATE_EXPERIMENT_UNUSED',
        `"${role}" is given, but neither ${trainerName} nor an evaluator uses it`,
        { hint: `remove "${role}"` },
      )
  }
}
