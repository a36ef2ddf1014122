import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { permutation, stream } from '@collimate/core'
import type {
  Estimator,
  Example,
  Model,
  Objective,
  ObjectiveUse,
  Policy,
  RewardSource,
  Schedule,
  Trainer,
} from '@collimate/core'
import type { Claims } from '../suite.js'
import { shared } from '../shared.js'
import {
  exactPreferences,
  imitationExamples,
  preferenceExamples,
  promptExamples,
  stepwiseExamples,
  type PreferenceWorld,
} from '../world/datasets.js'
import { tabularPolicy } from '../world/tabular-policy.js'
import type { TabularHead } from '../world/tabular-programs.js'
import type { Table, World } from '../world/world.js'

/** Options that the laws set, in the names that all trainers share (`trainingShape` of `@collimate/core`). */
export interface LawTrainerOptions extends Partial<ProximalOptions> {
  readonly learningRate: number
  readonly schedule: Schedule
  readonly steps: number
  readonly batchSize: number
  readonly microBatchSize?: number
  readonly maxGradNorm: number
  readonly epsilon: number
  readonly beta1?: number
  readonly beta2?: number
  readonly weightDecay?: number
  readonly warmupSteps?: number
  readonly loggingSteps: number
  readonly shuffle: boolean
  /** Strength of the KL penalty; given where the claimed optimum has one (`preferences`, `reward`). */
  readonly beta?: number
  /** Longest completion to sample; given to trainers of reward. */
  readonly maxNewTokens?: number
  /** Completions of each prompt in a step; default the trainer's. */
  readonly numGenerations?: number
  /** Sampling temperature; default the trainer's. */
  readonly temperature?: number
}

/** Options of trainers that claim to be `proximal`. */
export interface ProximalOptions {
  /** Passes over the rollouts of a step. */
  readonly numPpoEpochs: number
  /** Updates of a pass. */
  readonly numMiniBatches: number
  /** The value of where a completion was cut stands for what would have come. */
  readonly bootstrapTruncated: boolean
  readonly criticLearningRate: number
  /** KL per completion that β is steered towards, and completions in which it moves by a fifth. */
  readonly klTarget: number
  readonly klHorizon: number
}

/** What the laws of a trainer are checked on. */
export interface TrainerSubject {
  readonly name: string
  /** Makes the trainer from the options of its plugin: parse them with its schema. */
  readonly create: (options: LawTrainerOptions) => Trainer
  /** Makes the objectives that the trainer names in its updates. */
  readonly objectives: (use: ObjectiveUse) => Objective | Promise<Objective>
  /**
   * `optimum`: where it comes to in the enumerable world. `preferences`: π* of the Bradley-Terry rewards; `imitation`: the
   * empirical conditional distribution; `reward`: π* of the reward source; `rewards`: the policy is a reward model, and finds
   * the Bradley-Terry rewards themselves; `steps`: it is a process reward model, and finds how often each step is right.
   *
   * `policyGradient`, of trainers of reward: the expected step on fresh samples in groups of two is along ∇J times this number
   * (true = 1). `movingMean`: the estimator is told the moving mean of the rewards of earlier steps.
   *
   * `proximal`, of trainers of reward with a critic: several passes of clipped updates over the samples of a step, by the inputs
   * `oldLogProbs`, `advantages`, `oldValues` and `returns`. `separateCritic`: the critic is a model of its own.
   */
  readonly claims?: Claims
  /** For trainers that need one. */
  readonly estimator?: () => Estimator
  /** The policy has a value head too, which starts at 0: for trainers that share it with the critic. */
  readonly valueHead?: boolean
}

export interface Subject extends TrainerSubject {
  /** A policy that stands where the world's reference stands, or is another distribution [X][Y]; a reward model of scores 0. */
  start(world: World, distribution?: Table): Policy
  /** Options with those that the claimed optimum adds. */
  options(world: World, given: Partial<LawTrainerOptions>): LawTrainerOptions
  /** Rows of the type that the trainer asks for. */
  rows(trainer: Trainer, preferences: PreferenceWorld): Example[]
  /** What a trainer of reward is given besides; its critic starts at 0. */
  surroundings(trainer: Trainer, world: World): Surroundings
  cacheFolder(): Promise<string>
  close(): Promise<void>
}

export interface Surroundings {
  readonly reward?: RewardSource
  readonly estimator?: Estimator
  readonly critic?: Model
}

const defaults: LawTrainerOptions = {
  ...{ learningRate: 0.1, schedule: 'linear', steps: 5, batchSize: 4, maxGradNorm: 0, epsilon: 1e-8 },
  ...{ loggingSteps: 1, shuffle: true },
}

export function subjectOf(given: TrainerSubject): Subject {
  const optimum = given.claims?.optimum
  const folder = shared(
    () => mkdtemp(join(tmpdir(), 'collimate-laws-')),
    (path) => rm(path, { recursive: true, force: true }),
  )
  let opened = 0
  return {
    ...given,
    start: (world, start) =>
      tabularPolicy(world, {
        ...{ objective: given.objectives, head: headOf(given) },
        ...(start && { start }),
      }),
    options: (world, options) => ({
      ...defaults,
      ...options,
      ...((optimum === 'preferences' || optimum === 'reward') && { beta: world.beta }),
      ...(optimum === 'reward' && { maxNewTokens: world.maxLength }),
    }),
    rows(trainer, { world, odds }) {
      const { dataset } = trainer.plan
      if (dataset === 'preference') return preferenceExamples(world, exactPreferences({ odds }))
      if (dataset === 'prompt-only') return unevenly(promptExamples(world, 4))
      if (dataset === 'stepwise') return stepwiseExamples(world, odds)
      const examples = imitationExamples(world, odds)
      if (dataset === 'prompt-completion') return examples
      return examples.map(({ prompt, completions: [ids], ...rest }) => ({
        ...rest,
        prompt: new Int32Array(0),
        completions: [Int32Array.of(...prompt, ...ids)],
      }))
    },
    surroundings: (trainer, world) => ({
      ...(trainer.plan.requires.reward && { reward: rewardOf(world) }),
      ...(trainer.plan.requires.estimator && given.estimator && { estimator: given.estimator() }),
      ...(trainer.plan.requires.critic && {
        critic: tabularPolicy(world, { objective: given.objectives, head: 'score' }),
      }),
    }),
    // A folder for each run: one run must not live on what another has cached.
    cacheFolder: async () => join(await folder.get(), String(++opened)),
    close: () => folder.close(),
  }
}

function headOf({ claims, valueHead = false }: TrainerSubject): TabularHead {
  if (claims?.optimum === 'rewards' || claims?.optimum === 'steps') return 'score'
  return valueHead ? 'language+score' : 'language'
}

/** The rewards of a world as a source; a completion that the world does not have is refused. */
export function rewardOf({ prompts, completions, rewards }: World): RewardSource {
  const place = (list: World['prompts'], ids: Int32Array): number => list.findIndex((one) => one.join() === ids.join())
  return {
    async score({ rollouts }) {
      const scores = rollouts.map(({ prompt, completion }) => {
        const reward = rewards[place(prompts, prompt.ids)]?.[place(completions, completion.ids)]
        if (reward === undefined)
          throw new RangeError(`the world has no completion [${completion.ids.join(' ')}] of [${prompt.ids.join(' ')}]`)
        return Float64Array.of(reward)
      })
      return { granularity: 'sequence', scores }
    },
    close: async () => undefined,
  }
}

/** Rows in an order without a period, so that a run that goes on in the wrong place is seen to. */
function unevenly(rows: readonly Example[]): Example[] {
  return Array.from(permutation(5, stream('order'), rows.length), (at, index) => ({ ...rows[at], index }))
}
