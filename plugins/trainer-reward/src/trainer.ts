import {
  CollimateError,
  adamwOptions,
  isLogged,
  learningRateAt,
  learningRatePlan,
  trainingPlan,
  updateMetrics,
} from '@collimate/core'
import type { Example, Model, Trainer, TrainerContext } from '@collimate/core'
import { writeRewardNormalisation } from '@collimate/models'
import { checkSupervision, rewardDefaults } from './options.js'
import type { RewardOptions } from './options.js'
import { outcomeSupervision } from './outcome.js'
import { processSupervision } from './process.js'

/** Micro-batches that are scored between two looks at the abort signal. */
const microBatchesAtOnce = 8

/** Rows that are checked at once. */
const rowsAtOnce = 1024

/** Most rows that a normalisation is computed on. */
const normalisedRows = 512

/**
 * Reward modelling: the policy is a model with a scalar head, and learns that chosen answers score higher than rejected ones,
 * or which steps of an answer are right.
 */
export function rewardTrainer(options: RewardOptions): Trainer {
  checkSupervision(options)
  const { batchSize, microBatchSize = batchSize } = options
  const supervision = options.supervision === 'outcome' ? outcomeSupervision(options) : processSupervision(options)
  const plan = trainingPlan(options, rewardDefaults)
  let seen = { examples: 0, tokens: 0 }

  /** The first rows of a split as they are read. */
  async function* lotsOf(
    { bus, policy, data, signal }: TrainerContext,
    split: 'train' | 'evaluation',
    { most = Infinity, abortable = true } = {},
  ): AsyncGenerator<readonly Example[]> {
    const eosTokens = await eosTokensOf(policy)
    const total = Math.min(most, split === 'train' ? data.trainLength : data.evaluationLength)
    const size = microBatchesAtOnce * microBatchSize
    for (let start = 0; start < total; start += size) {
      if (abortable) signal.throwIfAborted()
      const indices = Array.from({ length: Math.min(size, total - start) }, (_, k) => start + k)
      yield (await data.read(split, indices)).map((example) => supervision.prepared(example, eosTokens))
      bus.emit('progress.made', { phase: 'rewards', done: Math.min(total, start + size), total, unit: 'rows' })
    }
  }

  /** Refuses what is wrong with a row before the first step, not when it is met. */
  async function checkRows(data: TrainerContext['data']): Promise<void> {
    if (!supervision.check) return
    for (let start = 0; start < data.trainLength; start += rowsAtOnce) {
      const indices = Array.from({ length: Math.min(rowsAtOnce, data.trainLength - start) }, (_, k) => start + k)
      for (const example of await data.read('train', indices)) supervision.check(example)
    }
  }

  return {
    plan: {
      ...plan,
      dataset: supervision.dataset,
      data: { ...plan.data, ...supervision.data },
      requires: { reference: false, reward: false, estimator: false },
    },

    async *steps({ policy, data, startStep, totalSteps }) {
      const schedule = learningRatePlan(options, totalSteps)
      const eosTokens = await eosTokensOf(policy)
      await checkRows(data)
      for (let step = startStep; step < totalSteps; step++) {
        const examples = (await data.next(batchSize)).map((example) => supervision.prepared(example, eosTokens))
        const logged = isLogged(step, totalSteps, options.loggingSteps)
        const learningRate = learningRateAt(schedule, step)
        const report = await policy.update({
          objective: supervision.objective,
          batches: supervision.batches(examples, microBatchSize),
          optimizer: adamwOptions(options),
          learningRate,
          maxGradNorm: options.maxGradNorm,
          metrics: logged,
        })
        seen = { examples: seen.examples + examples.length, tokens: seen.tokens + tokensOf(examples) }
        const metrics = {
          ...updateMetrics(report),
          learning_rate: learningRate,
          num_tokens: seen.tokens,
          epoch: seen.examples / data.trainLength,
        }
        yield { step: step + 1, metrics: logged ? metrics : {}, tokens: report.tokens }
      }
    },

    async evaluate(context) {
      if (context.data.evaluationLength === 0) return {}
      const { measurements, bins } = await supervision.judge(context, lotsOf(context, 'evaluation'), microBatchSize)
      context.bus.emit('calibration.measured', { bins })
      return measurements
    },

    async completeModel(context, { folder }) {
      const split = context.data.evaluationLength > 0 ? 'evaluation' : 'train'
      // A run that was stopped has a model, too.
      const lots = lotsOf(context, split, { most: normalisedRows, abortable: false })
      // Without one, that of a model before is taken away.
      const normalisation = await supervision.normalisation?.(context.policy, lots, microBatchSize)
      await writeRewardNormalisation(folder, normalisation)
    },

    state: () => seen,
    restore(state) {
      seen = state as typeof seen
    },
  }
}

/** Refuses a model without a scalar head before anything is trained. */
async function eosTokensOf(model: Pick<Model, 'describe'>): Promise<readonly number[]> {
  const { outputs, eosTokens } = await model.describe()
  if (outputs.includes('scores')) return eosTokens
  throw new CollimateError('COLLIMATE_OUTPUT_MISSING', 'the trainer reward needs a model with a scalar head', {
    hint: 'policy: { use: transformer, model: ..., head: score }',
  })
}

/** Tokens as TRL counts them in `num_tokens`: each answer with its prompt, so that the prompt of a pair counts twice. */
function tokensOf(examples: readonly Example[]): number {
  return examples.reduce(
    (sum, { prompt, completions }) => completions.reduce((inner, ids) => inner + prompt.length + ids.length, sum),
    0,
  )
}
