import {
  CollimateError,
  adamwOptions,
  isLogged,
  learningRateAt,
  learningRatePlan,
  trainingPlan,
  updateMetrics,
} from '@collimate/core'
import type { Example, Trainer } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { evaluateLoss } from './evaluate-loss.js'
import { objectiveUse } from './objective-use.js'
import { sftDefaults } from './options.js'
import type { SftOptions } from './options.js'
import { withoutPrompt } from './without-prompt.js'

/** Supervised fine-tuning: raises the likelihood of the completions, or of whole texts. */
export function sftTrainer(options: SftOptions): Trainer {
  checkPacking(options)
  const { batchSize, microBatchSize = batchSize, packing } = options
  const plan = trainingPlan(options, sftDefaults)
  const objective = objectiveUse(options)
  const batchesOf = (examples: readonly Example[]) =>
    microBatches(options.completionOnly ? examples : examples.map(withoutPrompt), { microBatchSize }).batches
  let seen = { examples: 0, tokens: 0 }

  return {
    plan: {
      ...plan,
      dataset: 'prompt-completion',
      data: { ...plan.data, ...(packing !== 'none' && { packing }) },
      requires: { reference: false, reward: false, estimator: false },
    },

    async *steps({ policy, data, startStep, totalSteps }) {
      const schedule = learningRatePlan(options, totalSteps)
      for (let step = startStep; step < totalSteps; step++) {
        const examples = await data.next(batchSize)
        const logged = isLogged(step, totalSteps, options.loggingSteps)
        const learningRate = learningRateAt(schedule, step)
        const report = await policy.update({
          objective,
          batches: batchesOf(examples),
          optimizer: adamwOptions(options),
          learningRate,
          maxGradNorm: options.maxGradNorm,
          metrics: logged,
        })
        seen = { examples: seen.examples + examples.length, tokens: seen.tokens + report.tokens }
        const metrics = {
          ...updateMetrics(report),
          learning_rate: learningRate,
          num_tokens: seen.tokens,
          epoch: seen.examples / data.trainLength,
        }
        yield { step: step + 1, metrics: logged ? metrics : {}, tokens: report.tokens }
      }
    },

    evaluate: (context) => evaluateLoss(context, { objective, batchesOf, lot: 8 * microBatchSize }),

    state: () => seen,
    restore(state) {
      seen = state as typeof seen
    },
  }
}

function checkPacking({ packing, completionOnly, maxLength }: SftOptions): void {
  if (packing === 'none') return
  if (maxLength === null) {
    throw new CollimateError('COLLIMATE_OPTION_CONFLICT', `packing "${packing}" needs maxLength, the size of a pack`)
  }
  if (!completionOnly) {
    throw new CollimateError(
      'COLLIMATE_OPTION_CONFLICT',
      `packing "${packing}" and completionOnly false exclude each other`,
      {
        hint: 'write the rows as { "text": prompt + completion } to train on all of them',
      },
    )
  }
}
