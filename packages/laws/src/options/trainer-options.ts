import {
  type Estimator,
  type Objective,
  type ObjectiveUse,
  type Plugin,
  type RewardSource,
  type Trainer,
} from '@collimate/core'
import type { LawSuite } from '../suite.js'
import { contextOf, drive } from '../trainer/drive.js'
import { subjectOf } from '../trainer/subject.js'
import { makePreferenceWorld } from '../world/datasets.js'
import { lawsOfOptions, type OptionsLawsOptions } from './index.js'
import { optionsOf, type Options } from './schema.js'

export interface TrainerOptionsLaws {
  readonly plugin: Plugin<'trainer'>
  /** Makes the trainer from parsed options. */
  create(options: Options): Trainer
  objectives(use: ObjectiveUse): Objective | Promise<Objective>
  readonly base?: Options
  /** For trainers that need one. */
  readonly estimator?: () => Estimator
  /** The policy has a value head too. */
  readonly valueHead?: boolean
  /** Uses of the options that are the trainer's own; those of `trainingShape` and of trainers that sample are known here. */
  readonly alternatives: OptionsLawsOptions['alternatives']
}

/** Every option of a trainer matters, judged by a short run in the enumerable world: its plan, its log, and the weights it leaves. */
export function lawsOfTrainerOptions({ plugin, alternatives, ...parts }: TrainerOptionsLaws): LawSuite {
  const subject = subjectOf({
    name: plugin.definition.name,
    create: () => parts.create({}),
    objectives: parts.objectives,
    claims: plugin.definition.capabilities ?? {},
    ...(parts.estimator && { estimator: parts.estimator }),
    ...(parts.valueHead && { valueHead: true }),
  })
  const own = optionsOf(plugin).map(({ name }) => name)
  const known = Object.entries({ ...trainingAlternatives, ...(own.includes('maxNewTokens') && rolloutAlternatives) })
  return lawsOfOptions({
    plugin,
    ...(parts.base && { base: parts.base }),
    output: async (options) => shortRun(parts.create(options), subject),
    alternatives: { ...Object.fromEntries(known.filter(([name]) => own.includes(name))), ...alternatives },
    close: () => subject.close(),
  })
}

/** Rewards of two prompts that differ, a reference that prefers some answers; the numbers stand for no others. */
const preferences = makePreferenceWorld({
  ...{ letters: 1, maxLength: 2, beta: 1 },
  odds: [
    [1, 3, 2],
    [4, 1, 2],
  ],
  referenceLogits: [
    [0.5, -1, 0.25],
    [-0.5, 1.5, 0],
  ],
})

/** What a run of at most six steps shows. What it only hands on, such as the options of its objective, does not count. */
async function shortRun(trainer: Trainer, subject: ReturnType<typeof subjectOf>): Promise<unknown> {
  const { plan } = trainer
  const { world } = preferences
  const policy = subject.start(world)
  const reference = await policy.reference()
  const batches: number[] = []
  try {
    const rows = subject.rows(trainer, preferences)
    const surroundings = subject.surroundings(trainer, world)
    const steps =
      'steps' in plan.length ? plan.length.steps : Math.ceil((plan.length.epochs * rows.length) / plan.batchSize)
    const { context } = contextOf(trainer, {
      policy: {
        ...policy,
        update(request) {
          batches.push(request.batches.length)
          return policy.update(request)
        },
      },
      ...{ reference, train: rows, evaluation: rows.slice(0, 3), totalSteps: Math.min(steps, 6), seed: 1 },
      cacheFolder: await subject.cacheFolder(),
      ...surroundings,
      ...(plan.requires.reward && { reward: anyReward }),
    })
    const reports = await drive(trainer, context)
    const evaluation = await trainer.evaluate?.(context)
    const { tensors } = await policy.snapshot()
    const critic = (await surroundings.critic?.snapshot())?.tensors
    return { plan, batches, reports, evaluation, weights: tensors, critic }
  } finally {
    await reference.close()
    await policy.close()
  }
}

/** A reward of every completion, also of those that an option cuts shorter than the world's. */
const anyReward: RewardSource = {
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ prompt, completion }) =>
      Float64Array.of(completion.ids.reduce((sum, id, k) => sum + (id + 1) / (k + 1 + prompt.ids.length), 0)),
    ),
  }),
  close: async () => undefined,
}

const conflict = 'COLLIMATE_OPTION_CONFLICT'

/** Uses of the options of `trainingShape` that have to show. */
export const trainingAlternatives: OptionsLawsOptions['alternatives'] = {
  learningRate: [{ value: 0.5 }, { value: -1, refused: true }],
  schedule: [{ value: 'constant' }, { value: 'cosine' }],
  warmupSteps: [{ value: 2 }, { value: 2, with: { warmupRatio: 0.5 }, refused: conflict }],
  warmupRatio: [{ value: 0.5 }, { value: 2, refused: true }],
  weightDecay: [{ value: 0.5 }],
  beta1: [{ value: 0.5 }, { value: 1, refused: true }],
  beta2: [{ value: 0.5 }, { value: 1, refused: true }],
  epsilon: [{ value: 0.1 }, { value: 0, refused: true }],
  maxGradNorm: [{ value: 1e-3 }],
  batchSize: [{ value: 2 }, { value: 0, refused: true }],
  microBatchSize: [{ value: 2 }, { value: 0, refused: true }],
  epochs: [{ value: 0.5 }, { value: 1, with: { steps: 1 }, refused: conflict }],
  steps: [{ value: 2 }, { value: 0, refused: true }],
  maxLength: [{ value: 7 }, { value: 1, refused: true }],
  truncation: [{ value: 'keep_end' }],
  loggingSteps: [{ value: 1 }],
  shuffle: [{ value: false }],
}

/** Uses of the options of trainers that sample (`rolloutShape` of `@collimate/rollouts`) that have to show. */
export const rolloutAlternatives: OptionsLawsOptions['alternatives'] = {
  maxPromptLength: [{ value: 5 }, { value: 0, refused: true }],
  numGenerations: [{ value: 3 }, { value: 0, refused: true }],
  maxNewTokens: [{ value: 1 }, { value: 0, refused: true }],
  temperature: [{ value: 0.5 }, { value: 0, refused: true }],
  topK: [{ value: 1 }, { value: 0, refused: true }],
  topP: [{ value: 0.5 }, { value: 1.5, refused: true }],
  missingEosPenalty: [{ value: 1 }, { value: -1, refused: true }],
  maskTruncatedCompletions: [{ value: true }],
  maxKl: [
    { value: 1e-6, with: { learningRate: 0.5, schedule: 'constant' }, refused: 'COLLIMATE_DIVERGED' },
    { value: 0, refused: true },
  ],
  evalPrompts: [{ value: 1 }, { value: 0 }, { value: -1, refused: true }],
}
