import { stepBatches } from '@collimate/data'
import { calibrationBins } from './calibration.js'
import { measureSteps, stepPredictions } from './measure-steps.js'
import type { RewardOptions } from './options.js'
import { scoreSteps, stepLabels } from './score-steps.js'
import type { ScoredStep } from './score-steps.js'
import type { Supervision } from './supervision.js'

/** Answers whose steps are labelled right or wrong (TRL's stepwise data): each is read at its last token. */
export function processSupervision({ stepSeparator }: RewardOptions): Supervision {
  return {
    dataset: 'stepwise',
    data: { ...(stepSeparator !== undefined && { stepSeparator }) },
    objective: { use: 'reward-process', options: {} },
    prepared: (example) => example,
    batches: (examples, microBatchSize) =>
      stepBatches(examples, { microBatchSize, inputs: { labels: stepLabels } }).batches,
    async judge({ policy, seed }, lots, microBatchSize) {
      const rows: (readonly ScoredStep[])[] = []
      for await (const lot of lots) rows.push(...(await scoreSteps(policy, lot, microBatchSize)))
      return { measurements: measureSteps(rows, seed), bins: calibrationBins(rows.flatMap(stepPredictions)) }
    },
  }
}
