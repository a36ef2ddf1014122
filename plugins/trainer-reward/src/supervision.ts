import type {
  Example,
  ForestBatch,
  Measurement,
  Model,
  ObjectiveUse,
  TrainerContext,
  TrainerPlan,
} from '@collimate/core'
import type { RewardNormalisation } from '@collimate/models'
import type { CalibrationBin } from './calibration.js'

/** What is held against a model on rows of a split. */
export interface Judged {
  readonly measurements: Readonly<Record<string, Measurement>>
  readonly bins: readonly CalibrationBin[]
}

/** How a model is told what is good: by pairs of whole answers, or by labels of their steps. */
export interface Supervision {
  readonly dataset: TrainerPlan['dataset']
  readonly data: Partial<TrainerPlan['data']>
  readonly objective: ObjectiveUse
  /** Refuses a row that cannot be learnt from. */
  check?(example: Example): void
  /** What is read of a row; `eosTokens` are those that end a completion. */
  prepared(example: Example, eosTokens: readonly number[]): Example
  batches(examples: readonly Example[], microBatchSize: number): readonly ForestBatch[]
  /** Judges the model on prepared rows that `read` gives lot by lot. */
  judge(context: Pick<TrainerContext, 'policy' | 'seed'>, lots: Lots, microBatchSize: number): Promise<Judged>
  /** What brings the rewards of prepared rows to mean 0 and deviation 1; undefined where nothing does. */
  normalisation?(
    model: Pick<Model, 'outputs'>,
    lots: Lots,
    microBatchSize: number,
  ): Promise<RewardNormalisation | undefined>
}

/** Rows in lots, between which an abort is heard. */
export type Lots = AsyncIterable<readonly Example[]>
