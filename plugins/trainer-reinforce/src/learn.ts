import { adamwOptions } from '@collimate/core'
import type { ForestBatch, TrainerContext, UpdateReport } from '@collimate/core'
import { miniBatches, rolloutBatches } from '@collimate/rollouts'
import type { RolloutInputs } from '@collimate/rollouts'
import { advantagesOfSequences } from './experience.js'
import type { Experience } from './experience.js'
import { lossOf } from './loss-of.js'
import type { ReinforceOptions } from './options.js'

export interface LearnRequest {
  /** From 0. */
  readonly step: number
  readonly options: ReinforceOptions
  readonly learningRate: number
  /** Have the objective's metrics computed. */
  readonly metrics: boolean
}

/** What came of the updates of a step. */
export interface Learned {
  readonly reports: readonly UpdateReport[]
  /** Updates that were not made, because all of their completions are masked. */
  readonly skipped: number
}

/**
 * Learns from one batch of rollouts in `numIterations` passes of `numMiniBatches` updates each. The ratio is that to the
 * policy that sampled; in the first update of a step it is 1, and the update that of REINFORCE.
 */
export async function learn(
  { policy, seed }: Pick<TrainerContext, 'policy' | 'seed'>,
  experience: Experience,
  { step, options, learningRate, metrics }: LearnRequest,
): Promise<Learned> {
  const { numIterations: epochs, numMiniBatches, temperature, maxGradNorm } = options
  const objective = lossOf(options)
  const inputs = inputsOf(experience, options)
  const prompts = experience.rollouts.length / experience.groupSize
  const reports: UpdateReport[] = []
  let skipped = 0
  for (let epoch = 0; epoch < epochs; epoch++)
    for (const chosen of miniBatches(prompts, numMiniBatches, { seed, step, epoch, epochs })) {
      const batches = batchesOf(experience, inputs, chosen, options)
      if (!batches.some(hasTokens)) {
        skipped++
        continue
      }
      const optimizer = adamwOptions(options)
      reports.push(
        await policy.update({ objective, batches, optimizer, learningRate, maxGradNorm, metrics, temperature }),
      )
    }
  return { reports, skipped }
}

function inputsOf(experience: Experience, options: ReinforceOptions): RolloutInputs {
  const { advantages, logProbs, refLogProbs } = experience
  const whole = options.importanceSamplingLevel === 'sequence'
  return {
    advantages: whole ? advantagesOfSequences(experience) : advantages,
    oldLogProbs: logProbs,
    ...(options.klIn === 'loss' && options.beta > 0 && { refLogProbs }),
  }
}

/** The micro-batches of an update on the completions of some prompts. */
function batchesOf(
  { groupSize, rollouts }: Experience,
  inputs: RolloutInputs,
  prompts: readonly number[],
  options: ReinforceOptions,
): readonly ForestBatch[] {
  const rows = prompts.flatMap((prompt) => Array.from({ length: groupSize }, (_, k) => prompt * groupSize + k))
  const chosen = Object.entries(inputs).map(([name, values]): [string, RolloutInputs[string]] => [
    name,
    values instanceof Float64Array ? Float64Array.from(rows, (row) => values[row]) : rows.map((row) => values[row]),
  ])
  return rolloutBatches(
    rows.map((row) => rollouts[row]),
    Object.fromEntries(chosen),
    { groupSize, microBatchSize: options.microBatchSize ?? options.batchSize },
  )
}

const hasTokens = ({ tokenMask }: ForestBatch): boolean => tokenMask.some((bit) => bit > 0)
