import {
  adamwOptions,
  isLogged,
  learningRateAt,
  learningRatePlan,
  trainingPlan,
  type Trainer,
  updateMetrics,
} from '@collimate/core'
import { microBatches } from '@collimate/data'
import { defaults, type Options } from './options.js'

/**
 * The algorithm, and nothing else: the order of the data, checkpoints, evaluation, Ctrl-C and resuming are the runner's. It drives
 * `steps` and may stop between any two of them, so what a step needs to remember belongs into `state`.
 */
export function createTrainer(options: Options): Trainer {
  const { batchSize, microBatchSize = batchSize, maxGradNorm, loggingSteps } = options
  const objective = { use: '__name__', options: {} }
  return {
    plan: {
      ...trainingPlan(options, defaults),
      dataset: 'prompt-completion',
      requires: { reference: false, reward: false, estimator: false },
    },

    async *steps({ policy, data, startStep, totalSteps }) {
      const schedule = learningRatePlan(options, totalSteps)
      for (let step = startStep; step < totalSteps; step++) {
        const logged = isLogged(step, totalSteps, loggingSteps)
        const learningRate = learningRateAt(schedule, step)
        const { batches } = microBatches(await data.next(batchSize), { microBatchSize })
        const optimizer = adamwOptions(options)
        const report = await policy.update({
          objective,
          batches,
          optimizer,
          learningRate,
          maxGradNorm,
          metrics: logged,
        })
        const metrics = {
          ...updateMetrics(report),
          learning_rate: learningRate,
        }
        yield { step: step + 1, metrics: logged ? metrics : {}, tokens: report.tokens }
      }
    },

    state: () => null,
    restore: () => {},
  }
}
