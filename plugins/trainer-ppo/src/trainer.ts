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
import { checkOptions } from './check-options.js'
import { criticOf } from './critic.js'
import { experienceOf } from './experience.js'
import { learn } from './learn.js'
import { criticRateFactor, defaultKlHorizon, ppoDefaults } from './options.js'
import type { PpoOptions } from './options.js'
import { objectiveMetrics, rolloutMetrics, updateMetrics } from './step-metrics.js'

/**
 * Proximal policy optimisation with a critic: a step samples completions, has them scored, spreads score and KL penalty over
 * their tokens, and makes several passes of clipped updates over them.
 */
export function ppoTrainer(options: PpoOptions): Trainer {
  checkOptions(options)
  const { batchSize, microBatchSize = batchSize, critic: kind, klTarget, klHorizon = defaultKlHorizon } = options
  let seen = { prompts: 0, tokens: 0, beta: options.beta }

  return {
    plan: {
      ...rolloutPlan(options, ppoDefaults),
      requires: { reference: true, reward: true, estimator: true, critic: kind === 'separate' },
    },

    async *steps(context) {
      const { bus, policy, estimator, data, startStep, totalSteps } = context
      if (!estimator) throw incomplete('an estimator')
      const critic = await criticOf(context, kind)
      const text = await textOf(policy)
      const schedule = learningRatePlan(options, totalSteps)
      const { criticLearningRate = criticRateFactor * options.learningRate } = options

      for (let step = startStep; step < totalSteps; step++) {
        const examples = await data.next(batchSize)
        const batch = await collectRollouts(context, {
          ...{ step: step + 1, examples, options, promptsBefore: seen.prompts, text },
        })
        const { beta } = seen
        const experience = await experienceOf({ bus, estimator }, batch, { step: step + 1, critic, beta, options })
        const logged = isLogged(step, totalSteps, options.loggingSteps)
        const rates = {
          learningRate: learningRateAt(schedule, step),
          criticLearningRate: learningRateAt({ ...schedule, learningRate: criticLearningRate }, step),
        }
        const learned = await learn(context, experience, { step, critic, options, ...rates, metrics: logged })

        const { rollouts, groupSize, kl } = batch
        const tokens = rollouts.map(({ prompt, completion }) => prompt.ids.length + completion.ids.length)
        const total = tokens.reduce((sum, count) => sum + count, 0)
        seen = {
          prompts: seen.prompts + examples.length,
          tokens: seen.tokens + total,
          beta:
            klTarget === undefined
              ? beta
              : nextBeta(beta, kl, rollouts.length, { target: klTarget, horizon: klHorizon }),
        }
        const metrics = (): Record<string, number> => ({
          ...objectiveMetrics(experience, beta),
          ...(klTarget !== undefined && { 'objective/kl_coef': beta }),
          ...updateMetrics(learned),
          ...rolloutMetrics(experience),
          learning_rate: rates.learningRate,
          ...(critic.separate && { 'critic/learning_rate': rates.criticLearningRate }),
          num_tokens: seen.tokens,
          episode: seen.prompts * groupSize,
          epoch: seen.prompts / data.trainLength,
        })
        yield { step: step + 1, metrics: logged ? metrics() : {}, tokens: total }
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
      seen = state as typeof seen
    },
  }
}

const incomplete = (what: string): CollimateError =>
  new CollimateError('COLLIMATE_TRAINER_INCOMPLETE', `ppo needs ${what}`, { hint: 'run it through an experiment' })
