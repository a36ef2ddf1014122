import { createBus, orderedData } from '@collimate/core'
import type {
  Estimator,
  Example,
  Model,
  ModelSnapshot,
  Policy,
  Reference,
  RewardSource,
  StepReport,
  Trainer,
} from '@collimate/core'
import type { TrainerContext } from '@collimate/core'

/** What a trainer is driven with: a policy that it may change, and data in memory. */
export interface DriveParts {
  readonly policy: Policy
  /** Present where the plan asks for it. */
  readonly reference?: Reference
  readonly reward?: RewardSource
  readonly estimator?: Estimator
  readonly critic?: Model
  readonly train: readonly Example[]
  readonly evaluation?: readonly Example[]
  readonly totalSteps: number
  readonly seed: number
  readonly cacheFolder: string
  /** Where the run goes on, after a stop. */
  readonly from?: Place
}

/** How far a run has come. */
export interface Place {
  readonly step: number
  /** Training examples consumed. */
  readonly consumed: number
}

/** A run's context with its place in the data. */
export interface Drive {
  readonly context: TrainerContext
  consumed(): number
}

/** The context of a run as the runner makes it, without files: data in memory, a bus of its own. */
export function contextOf(trainer: Trainer, parts: DriveParts): Drive {
  const { policy, reference, reward, estimator, critic, train, evaluation = [] } = parts
  const { totalSteps, seed, cacheFolder, from } = parts
  const splits = { train, evaluation }
  const info = {
    train: { length: train.length, fingerprint: fingerprint(train) },
    evaluation: { length: evaluation.length, fingerprint: fingerprint(evaluation) },
    dropped: {},
  }
  const data = orderedData({ read: async ({ split, indices }) => indices.map((at) => splits[split][at]) }, info, {
    ...{ seed, shuffle: trainer.plan.shuffle, consumed: from?.consumed ?? 0 },
  })
  const context: TrainerContext = {
    ...{ bus: createBus(), policy, data, totalSteps, startStep: from?.step ?? 0, seed, cacheFolder },
    ...{ signal: new AbortController().signal },
    ...(reference && { reference }),
    ...(reward && { reward }),
    ...(estimator && { estimator }),
    ...(critic && { critic }),
  }
  return { context, consumed: data.consumed }
}

/** The rows in words; equal for equal rows. */
const fingerprint = (examples: readonly Example[]): string =>
  examples.map(({ prompt, completions }) => [prompt, ...completions].map((ids) => ids.join('.')).join('/')).join(' ')

/** Drives a trainer to its last step, or until it has made `most` of them. */
export async function drive(trainer: Trainer, context: TrainerContext, most = Infinity): Promise<StepReport[]> {
  const reports: StepReport[] = []
  const steps = trainer.steps(context)
  try {
    while (reports.length < most) {
      const next = await steps.next()
      if (next.done) break
      reports.push(next.value)
    }
  } finally {
    await steps.return()
  }
  return reports
}

/** What a checkpoint holds, after the way through JSON that the trainer's part takes on disk. */
export interface Checkpoint extends Place {
  readonly trainer: unknown
  readonly policy: ModelSnapshot
  readonly critic?: ModelSnapshot
}

export async function checkpointOf(
  trainer: Trainer,
  policy: Policy,
  place: Place,
  critic?: Model,
): Promise<Checkpoint> {
  return {
    ...{ ...place, trainer: JSON.parse(JSON.stringify(trainer.state())) as unknown, policy: await policy.snapshot() },
    ...(critic && { critic: await critic.snapshot() }),
  }
}
