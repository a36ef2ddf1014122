import { CollimateError, isLogged, learningRateAt, learningRatePlan } from '@collimate/core'
import type { Trainer } from '@collimate/core'
import {
  collectRollouts,
  evaluateRollouts,
  evaluationMetrics,
  nextBeta,
  rolloutPlan,
  samplingOptions,
  textOf,
} from '@collimate/rollouts'
import { checkLoss, checkOptions } from './check-options.js'
import { experienceOf } from './experience.js'
import { learn } from './learn.js'
import { lossOf } from './loss-of.js'
import { movedMean } from './moved-mean.js'
import { defaultKlHorizon, reinforceDefaults } from './options.js'
import type { ReinforceOptions } from './options.js'
import { rolloutMetrics, updateMetrics } from './step-metrics.js'

/** What is remembered between steps. */
interface State {
  readonly prompts: number
  readonly tokens: number
  readonly beta: number
  /** Moving mean of the rewards of all steps so far; absent before the first. */
  readonly meanReward?: number
}

/**
 * REINFORCE (Williams, Machine Learning 8, 1992) on a reward under a KL penalty: a step samples completions, has them scored,
 * compares their rewards with a baseline, and moves the policy along A ∇ log π. The estimator chooses the baseline.
 */
export function reinforceTrainer(options: ReinforceOptions): Trainer {
  checkOptions(options)
  checkLoss(lossOf(options).options)
  const { batchSize, microBatchSize = batchSize, klIn, klTarget, klHorizon = defaultKlHorizon } = options
  let seen: State = { prompts: 0, tokens: 0, beta: options.beta }

  return {
    plan: {
      ...rolloutPlan(options, reinforceDefaults),
      requires: { reference: true, reward: true, estimator: true },
    },

    async *steps(context) {
      const { bus, policy, estimator, data, startStep, totalSteps } = context
      if (!estimator) throw incomplete('an estimator')
      const text = await textOf(policy)
      const schedule = learningRatePlan(options, totalSteps)

      for (let step = startStep; step < totalSteps; step++) {
        const examples = await data.next(batchSize)
        const batch = await collectRollouts(context, {
          ...{ step: step + 1, examples, options, promptsBefore: seen.prompts, text },
        })
        const { beta, meanReward } = seen
        const experience = await experienceOf({ bus, estimator }, batch, {
          ...{ step: step + 1, beta: klIn === 'reward' ? beta : 0, meanReward },
        })
        const logged = isLogged(step, totalSteps, options.loggingSteps)
        const learningRate = learningRateAt(schedule, step)
        const learned = await learn(context, experience, { step, options, learningRate, metrics: logged })

        const { rollouts, kl } = batch
        const tokens = rollouts.reduce(
          (sum, { prompt, completion }) => sum + prompt.ids.length + completion.ids.length,
          0,
        )
        seen = {
          prompts: seen.prompts + examples.length,
          tokens: seen.tokens + tokens,
          beta:
            klTarget === undefined
              ? beta
              : nextBeta(beta, kl, rollouts.length, { target: klTarget, horizon: klHorizon }),
          ...movedMean(meanReward, experience.rewards, options.baselineDecay),
        }
        const metrics = (): Record<string, number> => ({
          ...updateMetrics(learned),
          ...rolloutMetrics(experience),
          ...(klTarget !== undefined && { beta }),
          learning_rate: learningRate,
          num_tokens: seen.tokens,
          epoch: seen.prompts / data.trainLength,
        })
        yield { step: step + 1, metrics: logged ? metrics() : {}, tokens }
      }
    },

    async evaluate(context) {
      const { reference, reward, seed } = context
      if (!reference || !reward) throw incomplete('a reference and a reward')
      const evaluated = await evaluateRollouts(context, {
        ...{ prompts: options.evalPrompts, sampling: samplingOptions(options, seed) },
        ...{ rewards: { reward }, reference, microBatchSize },
      })
      return evaluationMetrics(evaluated)
    },

    state: () => seen,
    restore(state) {
      seen = state as State
    },
  }
}

const incomplete = (what: string): CollimateError =>
  new CollimateError('COLLIMATE_TRAINER_INCOMPLETE', `reinforce needs ${what}`, {
    hint: 'run it through an experiment',
  })
