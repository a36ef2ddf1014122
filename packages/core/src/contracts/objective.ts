/** What a model can compute for a batch: per scored token [T], or per sequence [N] for `scores`. */
export type ModelOutput = 'logProbs' | 'entropy' | 'correct' | 'meanLogits' | 'values' | 'scores'

/** What a loss or metric is counted in: scored tokens [T], sequences [N], or pairs of neighbouring sequences [N/2]. */
export type Unit = 'tokens' | 'sequences' | 'pairs'

/** The symbolic tensors that an objective computes with; `T` is the tensor type (`Tensor` of `@collimate/graph`). */
export interface ObjectiveTensors<T> {
  /** [T] log π(target | context), at the batch's temperature. */
  readonly logProbs: T
  /** [T] entropy of the next-token distribution, nats. */
  readonly entropy: T
  /** [T] 1 where the target is the most likely token, else 0; no gradient. */
  readonly correct: T
  /** [T] mean of the logits over the vocabulary. */
  readonly meanLogits: T
  /** [T] scalar head at the source position: the value of the state before the scored token; only for models that have one. */
  readonly values: T
  /** [N] scalar head at the last token of each sequence (`ForestBatch.ends`); only for models that have one. */
  readonly scores: T
  /** [T] and [N], 1 or 0 as in the batch. */
  readonly tokenMask: T
  readonly sequenceMask: T
  /** [T] sequence of each scored token, int. */
  readonly sequences: T
  /** The inputs that the objective declared, by name. */
  readonly inputs: Readonly<Record<string, T>>
  /** Sums a per-token tensor [T] over the real tokens of each sequence: [N]. */
  sumBySequence(perToken: T): T
}

/** One summand of the loss. The model masks it, sums it over the batch and divides by the count of units. */
export interface LossTerm<T> {
  /** Shape [T], [N] or [N/2] as `unit` says. */
  readonly perUnit: T
  readonly unit: Unit
  /** Factor of this term in the loss; default 1. */
  readonly weight?: number
  /** Name of a declared input of the unit's size (0 or 1) that selects the units that count; default all real ones. */
  readonly select?: string
}

/** A number to log: the mean of `perUnit` over the real units, or over those where `select` (0 or 1) is 1. */
export interface Metric<T> {
  readonly perUnit: T
  readonly unit: Unit
  readonly select?: T
  /** The least or the greatest of them in place of their mean, over all micro-batches together. */
  readonly extreme?: 'least' | 'greatest'
}

/**
 * A training loss, written once and run on every backend.
 *
 * It gives *per-unit* values; masking, summing and dividing are the model's: a term's sum over all micro-batches of an
 * update is divided by the count of its units in all of them, so the gradient does not depend on how the batch is split.
 * Pure: the same tensors in, the same expressions out.
 */
export interface Objective<T = unknown> {
  readonly name: string
  /** Model outputs that `terms` reads; a model that lacks one refuses the objective. */
  readonly outputs: readonly ModelOutput[]
  /** Batch inputs that it needs, each sized by a unit. */
  readonly inputs: Readonly<Record<string, Unit>>
  /** True where the value of one unit depends on the others of its batch (sorting, batch means): such a batch cannot be split. */
  readonly coupled: boolean
  terms(t: ObjectiveTensors<T>): readonly LossTerm<T>[]
  /** Metrics in TRL's names; no gradient flows from them. */
  metrics(t: ObjectiveTensors<T>): Readonly<Record<string, Metric<T>>>
}

/** An objective as it crosses the bus: its registered name and options. */
export interface ObjectiveUse {
  readonly use: string
  readonly options: Readonly<Record<string, unknown>>
}
