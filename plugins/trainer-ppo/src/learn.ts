import { adamwOptions } from '@collimate/core'
import type { ForestBatch, TrainerContext, UpdateReport, WeightedMean } from '@collimate/core'
import { addMeans, miniBatches, rolloutBatches } from '@collimate/rollouts'
import { checkLoss } from './check-loss.js'
import type { Critic } from './critic.js'
import type { Experience } from './experience.js'
import { optionsOf, ppoLossOptions, valueLossOptions } from './loss-options.js'
import type { PpoOptions } from './options.js'

export interface LearnRequest {
  /** From 0. */
  readonly step: number
  readonly critic: Critic
  readonly options: PpoOptions
  readonly learningRate: number
  readonly criticLearningRate: number
  /** Have the objectives' metrics computed. */
  readonly metrics: boolean
}

/** What the updates of a step reported. */
export interface Learned {
  /** Metrics of policy and critic over all updates. */
  readonly means: Readonly<Record<string, WeightedMean>>
  /** Gradient norms of each update before clipping; those of a separate critic by themselves. */
  readonly gradNorms: readonly number[]
  /** Of the last update of the policy, and of a critic of its own, where it follows the gradients. */
  readonly lossScale: number | undefined
  readonly criticLossScale: number | undefined
  readonly criticGradNorms: readonly number[]
  /** Passes that were made: fewer than `numPpoEpochs` where `targetKl` ended them. */
  readonly epochs: number
}

const approxKl = 'policy/approxkl_avg'

/**
 * Learns from one batch of rollouts in `numPpoEpochs` passes of `numMiniBatches` updates each. What was sampled, the old
 * log-probs and the old values stay as they are.
 *
 * @throws CollimateError COLLIMATE_DIVERGED
 */
export async function learn(
  { policy, seed }: Pick<TrainerContext, 'policy' | 'seed'>,
  experience: Experience,
  request: LearnRequest,
): Promise<Learned> {
  const { step, critic, options, learningRate, criticLearningRate } = request
  const { numPpoEpochs: epochs, targetKl, temperature, maxGradNorm, maxLoss } = options
  const policyObjective = { use: 'ppo', options: optionsOf(ppoLossOptions, options) }
  const valueObjective = { use: 'value', options: optionsOf(valueLossOptions, options) }
  const settings = { optimizer: adamwOptions(options), maxGradNorm }
  // A policy that waits for its critic learns nothing yet.
  const waits = critic.separate && step < options.criticWarmupSteps
  const [ofPolicy, ofCritic]: [UpdateReport[], UpdateReport[]] = [[], []]
  const prompts = experience.rollouts.length / experience.groupSize

  let epoch = 0
  for (let kl = 0; epoch < epochs && kl <= (targetKl ?? Infinity); epoch++) {
    const first = ofPolicy.length
    for (const chosen of miniBatches(prompts, options.numMiniBatches, { seed, step, epoch, epochs })) {
      const batches = batchesOf(experience, chosen, options)
      if (!batches.some(hasTokens)) continue
      if (!waits) {
        const report = await policy.update({
          ...{ objective: policyObjective, batches, ...settings, learningRate, temperature },
          metrics: request.metrics || targetKl !== undefined,
        })
        checkLoss('policy', report.loss, maxLoss)
        ofPolicy.push(report)
      }
      if (critic.separate) {
        const { metrics } = request
        const report = await critic.model.update({
          ...{ objective: valueObjective, batches, ...settings, learningRate: criticLearningRate, metrics },
        })
        checkLoss('value', report.loss / options.vfCoef, maxLoss)
        ofCritic.push(report)
      }
    }
    const { sum, count } = meansOf(ofPolicy.slice(first))[approxKl] ?? { sum: 0, count: 0 }
    kl = count > 0 ? sum / count : 0
  }
  return {
    means: { ...meansOf(ofPolicy), ...meansOf(ofCritic) },
    gradNorms: ofPolicy.map(({ gradNorm }) => gradNorm),
    lossScale: ofPolicy.at(-1)?.lossScale,
    criticLossScale: ofCritic.at(-1)?.lossScale,
    criticGradNorms: ofCritic.map(({ gradNorm }) => gradNorm),
    epochs: epoch,
  }
}

/** The micro-batches of an update on the completions of some prompts. */
function batchesOf(experience: Experience, prompts: readonly number[], options: PpoOptions): readonly ForestBatch[] {
  const { groupSize, rollouts, oldLogProbs, advantages, oldValues, returns } = experience
  const of = <Value>(all: readonly Value[]): readonly Value[] =>
    prompts.flatMap((at) => all.slice(at * groupSize, (at + 1) * groupSize))
  return rolloutBatches(
    of(rollouts),
    {
      ...{ oldLogProbs: of(oldLogProbs), advantages: of(advantages) },
      ...{ oldValues: of(oldValues), returns: of(returns) },
    },
    { groupSize, microBatchSize: options.microBatchSize ?? options.batchSize },
  )
}

const hasTokens = ({ tokenMask }: ForestBatch): boolean => tokenMask.some((bit) => bit > 0)

const meansOf = (reports: readonly UpdateReport[]) => addMeans(reports.map(({ metrics }) => metrics))
