import {
  CollimateError,
  adamwOptions,
  isLogged,
  learningRateAt,
  learningRatePlan,
  meanMetrics,
  trainingPlan,
} from '@collimate/core'
import type { Example, Model, Trainer, TrainerContext } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { writeRewardNormalisation } from '@collimate/models'
import { calibrationBins } from './calibration.js'
import { endAtStop } from './end-at-stop.js'
import { marginOf } from './margin-of.js'
import { measurePairs } from './measure-pairs.js'
import { rewardDefaults, rewardLossOptions } from './options.js'
import type { RewardOptions } from './options.js'
import { rewardMoments } from './reward-moments.js'
import { scorePairs } from './score-pairs.js'
import type { ScoredPair } from './score-pairs.js'

/** Pairs that are scored between two looks at the abort signal, in micro-batches. */
const microBatchesAtOnce = 8

/** Most pairs that a normalisation is computed on. */
const normalisedPairs = 512

/**
 * Reward modelling: the policy is a model with a scalar head, and learns that chosen answers score higher than rejected ones.
 * A pair is one row: the prompt is computed once for both answers.
 */
export function rewardTrainer(options: RewardOptions): Trainer {
  const { batchSize, microBatchSize = batchSize } = options
  const lossOptions = rewardLossOptions.parse({ centerRewardsCoefficient: options.centerRewardsCoefficient })
  const objective = { use: 'reward', options: lossOptions }
  let seen = { examples: 0, tokens: 0 }

  /** The scores of the first pairs of a split, in lots. */
  async function scored(
    { bus, policy, data, signal }: TrainerContext,
    split: 'train' | 'evaluation',
    { most = Infinity, abortable = true } = {},
  ): Promise<readonly ScoredPair[]> {
    const eosTokens = await eosTokensOf(policy)
    const total = Math.min(most, split === 'train' ? data.trainLength : data.evaluationLength)
    const lot = microBatchesAtOnce * microBatchSize
    const pairs: ScoredPair[] = []
    for (let start = 0; start < total; start += lot) {
      if (abortable) signal.throwIfAborted()
      const indices = Array.from({ length: Math.min(lot, total - start) }, (_, k) => start + k)
      const examples = (await data.read(split, indices)).map((example) => endAtStop(example, eosTokens))
      pairs.push(...(await scorePairs(policy, examples, microBatchSize)))
      bus.emit('progress.made', { phase: 'rewards of pairs', done: pairs.length, total, unit: 'pairs' })
    }
    return pairs
  }

  return {
    plan: {
      ...trainingPlan(options, rewardDefaults),
      dataset: 'preference',
      requires: { reference: false, reward: false, estimator: false },
    },

    async *steps({ policy, data, startStep, totalSteps }) {
      const schedule = learningRatePlan(options, totalSteps)
      const eosTokens = await eosTokensOf(policy)
      for (let step = startStep; step < totalSteps; step++) {
        const pairs = (await data.next(batchSize)).map((example) => endAtStop(example, eosTokens))
        const logged = isLogged(step, totalSteps, options.loggingSteps)
        const learningRate = learningRateAt(schedule, step)
        const report = await policy.update({
          objective,
          batches: microBatches(pairs, {
            microBatchSize,
            inputs: { margin: { unit: 'pairs', values: (pair) => [marginOf(pair)] } },
          }).batches,
          optimizer: adamwOptions(options),
          learningRate,
          maxGradNorm: options.maxGradNorm,
          metrics: logged,
        })
        seen = { examples: seen.examples + pairs.length, tokens: seen.tokens + bothAnswers(pairs) }
        const metrics = {
          loss: report.loss,
          ...meanMetrics(report.metrics),
          grad_norm: report.gradNorm,
          learning_rate: learningRate,
          num_tokens: seen.tokens,
          epoch: seen.examples / data.trainLength,
        }
        yield { step: step + 1, metrics: logged ? metrics : {}, tokens: report.tokens }
      }
    },

    async evaluate(context) {
      if (context.data.evaluationLength === 0) return {}
      const pairs = await scored(context, 'evaluation')
      context.bus.emit('calibration.measured', { bins: calibrationBins(pairs) })
      return measurePairs(pairs, lossOptions, context.seed)
    },

    async completeModel(context, { folder }) {
      const { evaluationLength } = context.data
      const split = evaluationLength > 0 ? 'evaluation' : 'train'
      // A run that was stopped has a model, too.
      const pairs = options.normalise ? await scored(context, split, { most: normalisedPairs, abortable: false }) : []
      const moments = pairs.length > 0 ? rewardMoments(pairs) : undefined
      // Equal rewards have no scale. A model that had a normalisation before has another one now.
      await writeRewardNormalisation(folder, moments && moments.std > 0 ? moments : undefined)
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

/** Tokens as TRL counts them in `num_tokens`: each answer with its prompt, so that a prompt counts twice. */
function bothAnswers(pairs: readonly Example[]): number {
  return pairs.reduce(
    (sum, { prompt, completions }) => completions.reduce((inner, ids) => inner + prompt.length + ids.length, sum),
    0,
  )
}
