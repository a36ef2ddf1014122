import {
  CollimateError,
  adamwOptions,
  isLogged,
  learningRateAt,
  learningRatePlan,
  trainingPlan,
  updateMetrics,
} from '@collimate/core'
import type { Backend, Example, Reference, Trainer, TrainerContext } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { evaluatePairs } from './evaluate-pairs.js'
import { checkBatch, checkLoss } from './check-loss.js'
import { dpoDefaults, lossOptionsOf } from './options.js'
import type { DpoOptions } from './options.js'
import { referenceLogProbs } from './reference-log-probs.js'
import type { ReferenceLogProbs } from './reference-log-probs.js'

/**
 * Direct preference optimisation: raises the odds of chosen over rejected answers above the reference's, with no reward
 * model and no sampling. A pair is one row: the prompt is computed once for both answers.
 */
export function dpoTrainer(options: DpoOptions, backend?: Backend): Trainer {
  const { batchSize, microBatchSize = batchSize } = options
  const lossOptions = lossOptionsOf(options)
  checkLoss(lossOptions)
  checkBatch(options)
  const objective = { use: 'dpo', options: lossOptions }
  const references = new WeakMap<Reference, ReferenceLogProbs>()
  let seen = { examples: 0, tokens: 0 }

  /** The log-probs under the reference of this run. */
  function referenceOf(context: TrainerContext): ReferenceLogProbs {
    const { reference } = context
    if (!reference) {
      throw new CollimateError(
        'COLLIMATE_TRAINER_INCOMPLETE',
        'dpo needs a reference: the policy as it was before training',
      )
    }
    const found = references.get(reference)
    const logProbs = found ?? referenceLogProbs({ ...context, reference }, { backend, microBatchSize })
    references.set(reference, logProbs)
    return logProbs
  }

  return {
    plan: {
      ...trainingPlan(options, dpoDefaults),
      dataset: 'preference',
      requires: { reference: true, reward: false, estimator: false },
    },

    async *steps(context) {
      const { policy, data, startStep, totalSteps } = context
      const schedule = learningRatePlan(options, totalSteps)
      const reference = referenceOf(context)
      // A run that does not see all of the data computes what it sees.
      if ((totalSteps - startStep) * batchSize >= data.trainLength) await reference.prepare('train')

      for (let step = startStep; step < totalSteps; step++) {
        const pairs = await data.next(batchSize)
        const refLogProbs = await reference.of(pairs)
        const logged = isLogged(step, totalSteps, options.loggingSteps)
        const learningRate = learningRateAt(schedule, step)
        const report = await policy.update({
          objective,
          batches: microBatches(pairs, {
            microBatchSize,
            inputs: { refLogProbs: { unit: 'tokens', values: (_, position) => refLogProbs[position] } },
          }).batches,
          optimizer: adamwOptions(options),
          learningRate,
          maxGradNorm: options.maxGradNorm,
          metrics: logged,
        })
        seen = { examples: seen.examples + pairs.length, tokens: seen.tokens + bothAnswers(pairs) }
        const metrics = {
          ...updateMetrics(report),
          learning_rate: learningRate,
          num_tokens: seen.tokens,
          epoch: seen.examples / data.trainLength,
        }
        yield { step: step + 1, metrics: logged ? metrics : {}, tokens: report.tokens }
      }
    },

    evaluate: (context) => evaluatePairs(context, referenceOf(context), lossOptions, { batchSize, microBatchSize }),

    state: () => seen,
    restore(state) {
      seen = state as typeof seen
    },
  }
}

/** Tokens as TRL counts them in `num_tokens`: each answer with its prompt, so that a prompt counts twice. */
function bothAnswers(pairs: readonly Example[]): number {
  return pairs.reduce(
    (sum, { prompt, completions }) => completions.reduce((inner, ids) => inner + prompt.length + ids.length, sum),
    0,
  )
}
