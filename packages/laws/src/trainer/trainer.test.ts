import { learningRateAt, type StepReport, type Trainer } from '@collimate/core'
import { forestBatch, sumBySequence } from '@collimate/data'
import { describe, expect, test } from 'vitest'
import { checkLaw } from '../check.js'
import { testLaws } from '../declare.js'
import { lawObjectives, weightedLikelihood } from '../policy/objectives.js'
import { exampleOf } from '../world/distribution-of.js'
import { lawsOfTrainer } from './laws-of-trainer.js'
import type { LawTrainerOptions } from './subject.js'

/** What can be got wrong in the trainer below. */
interface Wrong {
  /** Factor of the KL penalty: −1 rewards divergence. */
  readonly penalty?: number
  /** Forgets where the random numbers were when it is resumed. */
  readonly forgetful?: boolean
  /** Counts the steps of a resumed run from 1 again. */
  readonly fromOne?: boolean
}

/** REINFORCE with a leave-one-out baseline and the KL penalty in the reward (Ahmadian et al., arXiv 2402.14740). */
function reinforce(
  options: LawTrainerOptions,
  { penalty = 1, forgetful = false, fromOne = false }: Wrong = {},
): Trainer {
  const { batchSize, beta = 1, steps, learningRate, schedule, loggingSteps, maxNewTokens = 4 } = options
  const { epsilon, beta1 = 0.9, beta2 = 0.999, weightDecay = 0, warmupSteps = 0 } = options
  let sampled = 0
  return {
    plan: {
      dataset: 'prompt-only',
      data: { maxLength: null, truncation: 'keep_start' },
      requires: { reference: true, reward: true, estimator: false },
      batchSize,
      length: { steps },
      shuffle: options.shuffle,
    },
    async *steps({
      policy,
      reference,
      reward,
      data,
      startStep,
      totalSteps,
      seed,
    }): AsyncGenerator<StepReport, void, void> {
      if (!reference || !reward) throw new Error('reinforce needs a reference and a reward')
      for (let step = startStep; step < totalSteps; step++) {
        const prompts = (await data.next(batchSize)).map(({ prompt }) => prompt)
        const streams = prompts.map((_, i) => sampled + i)
        const { completions } = await policy.generate({
          prompts,
          streams,
          sampling: { maxNewTokens, temperature: 1, seed },
        })
        sampled += prompts.length
        const rollouts = prompts.map((ids, i) => ({
          prompt: { ids, text: '' },
          completion: { ids: completions[i], text: '' },
          columns: {},
        }))
        const { scores } = await reward.score({ rollouts })
        const batch = forestBatch(prompts.map((ids, i) => exampleOf(i, Array.from(ids), [Array.from(completions[i])])))
        const logProbs = sumBySequence(batch, await policy.logProbs({ batch }))
        const refLogProbs = sumBySequence(batch, await reference.logProbs({ batch }))
        const returns = scores.map(([score], i) => score - penalty * beta * (logProbs[i] - refLogProbs[i]))
        const advantages = returns.map((value, i) => {
          const others = returns.filter((_, k) => k !== i && String(prompts[k]) === String(prompts[i]))
          return others.length === 0 ? 0 : value - others.reduce((sum, other) => sum + other, 0) / others.length
        })
        const weights = Float64Array.from(batch.targets, (_, t) => batch.tokenMask[t] * advantages[batch.sequences[t]])
        const plan = { learningRate, schedule, warmupSteps, totalSteps }
        const report = await policy.update({
          objective: weightedLikelihood,
          batches: [{ ...batch, inputs: { weights } }],
          optimizer: { name: 'adamw', beta1, beta2, epsilon, weightDecay },
          learningRate: learningRateAt(plan, step),
          maxGradNorm: options.maxGradNorm,
          metrics: false,
        })
        const logged = step === 0 || (step + 1) % loggingSteps === 0 || step + 1 === totalSteps
        const number = fromOne ? step - startStep + 1 : step + 1
        yield { step: number, tokens: report.tokens, metrics: logged ? { loss: report.loss } : {} }
      }
    },
    state: () => ({ sampled }),
    restore(state) {
      if (!forgetful) ({ sampled } = state as { sampled: number })
    },
  }
}

const suite = (wrong?: Wrong) =>
  lawsOfTrainer({
    name: 'reinforce',
    create: (options) => reinforce(options, wrong),
    objectives: lawObjectives,
    claims: { optimum: 'reward' },
  })

testLaws(suite(), { test })

describe('the laws of trainers kill', () => {
  test.each<[string, Wrong]>([
    ['trainer/reward', { penalty: -1 }],
    ['trainer/reward', { penalty: 0 }],
    ['resumption/trainer', { forgetful: true }],
    ['resumption/trainer', { fromOne: true }],
  ])('%s: %j', async (name, wrong) => {
    const laws = suite(wrong)
    const { status, message } = await checkLaw(
      laws.laws.find((law) => law.name === name)!,
      { runs: 100, seed: 2 },
    )
    await laws.close()
    expect(status).toBe('fails')
    expect(message).toMatch(/counterexample +.*β.*\n[^]*replay/)
  })
})

test('a trainer that claims no optimum is told what is not checked, one that claims an unknown optimum is refused', () => {
  const create = (options: LawTrainerOptions) => reinforce(options)
  const none = lawsOfTrainer({ name: 'reinforce', create, objectives: lawObjectives })
  expect(none.unsupported).toEqual([
    {
      capability: 'optimum',
      laws: [
        ...['trainer/preferences', 'trainer/sampled-preferences', 'trainer/imitation', 'trainer/reward'],
        ...['trainer/rewards', 'trainer/sampled-rewards', 'trainer/steps'],
      ],
    },
  ])
  const unknown = lawsOfTrainer({ name: 'reinforce', create, objectives: lawObjectives, claims: { optimum: 'magic' } })
  expect(unknown.unproven).toEqual(['optimum'])
})
