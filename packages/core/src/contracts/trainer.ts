import type { Bus } from '../bus.js'
import type { DataRequest, DatasetType, Example } from './data-source.js'
import type { Model } from './model.js'
import type { Policy, Reference } from './policy.js'
import type { RewardSource } from './reward-source.js'
import type { Estimator } from './estimator.js'

/**
 * One line of the run's log, after one step: one optimiser step, or with trainers that sample one batch of rollouts and all
 * the updates that are made of it, so that nothing but the trainer's state lives on between two steps.
 */
export interface StepReport {
  /** Steps done, from 1. */
  readonly step: number
  /** Numbers to log, in TRL's names. Empty on steps that are not logged. */
  readonly metrics: Readonly<Record<string, number>>
  /** Tokens processed in this step, padding not counted. */
  readonly tokens: number
}

/** A measured number with a 95 % confidence interval, where there is one. */
export interface Measurement {
  readonly value: number
  readonly low?: number
  readonly high?: number
  /** Units that were averaged. */
  readonly count?: number
}

/** The data as a trainer sees it: the runner decides the order, remembers the place and resumes it. */
export interface TrainingData {
  readonly trainLength: number
  readonly trainFingerprint: string
  readonly evaluationLength: number
  readonly evaluationFingerprint: string
  /** The next examples of the shuffled (or ordered) training split; begins a new epoch when one ends. */
  next(count: number): Promise<readonly Example[]>
  /** Examples of a split by position. */
  read(split: 'train' | 'evaluation', indices: readonly number[]): Promise<readonly Example[]>
}

export interface TrainerContext {
  readonly bus: Bus
  readonly policy: Policy
  /** Present where `requires.reference`. */
  readonly reference?: Reference
  readonly reward?: RewardSource
  readonly estimator?: Estimator
  /** Present where `requires.critic`: a model of its own with output `values`. */
  readonly critic?: Model
  readonly data: TrainingData
  /** Steps in the whole run, and steps already done (after a resume). */
  readonly totalSteps: number
  readonly startStep: number
  readonly seed: number
  /** Folder for caches that outlive the run, such as reference log-probs. */
  readonly cacheFolder: string
  /** Fires when the user wants to stop; long preparations listen to it. Steps need not: the runner stops between them. */
  readonly signal: AbortSignal
}

/** What the runner must know to drive a trainer. */
export interface TrainerPlan {
  readonly dataset: DatasetType
  readonly data: Omit<DataRequest, 'type' | 'tokenizer' | 'seed'>
  readonly requires: {
    readonly reference: boolean
    readonly reward: boolean
    readonly estimator: boolean
    /** Default false. */
    readonly critic?: boolean
  }
  /**
   * The trainer may find that the policy of the step before has diverged (COLLIMATE_DIVERGED): the runner keeps a policy
   * that a later step has found good, to go back to. Default false.
   */
  readonly guarded?: boolean
  /** Examples per step. */
  readonly batchSize: number
  /** How long: steps, or passes over the training split. */
  readonly length: { readonly steps: number } | { readonly epochs: number }
  /** Shuffle the training split in every epoch. */
  readonly shuffle: boolean
}

/** An algorithm, and nothing else: data order, checkpoints, evaluation, abort and resume are the runner's. */
export interface Trainer {
  readonly plan: TrainerPlan
  /** One report per step; the runner may stop asking between any two. */
  steps(context: TrainerContext): AsyncGenerator<StepReport, void, void>
  /** Measures on the held-out split; names begin with `eval_`. */
  evaluate?(context: TrainerContext): Promise<Readonly<Record<string, Measurement>>>
  /** The policy was saved in `folder`: adds what belongs to the model beside its weights, such as a normalisation. */
  completeModel?(context: TrainerContext, saved: { readonly folder: string }): Promise<void>
  /** What the algorithm itself remembers between steps, as JSON data. */
  state(): unknown
  restore(state: unknown): void
}
