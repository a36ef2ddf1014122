import { learningRateAt, type Rollout, type StepReport, type Trainer } from '@collimate/core'
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
  /** Temperature of the log-probs and of the update; default that of sampling. */
  readonly updateTemperature?: number
  /** Share of the own reward in the baseline. */
  readonly own?: number
  /** Logs rewards after the KL penalty. */
  readonly logsPenalised?: boolean
}

/** REINFORCE with a leave-one-out baseline and the KL penalty in the reward (Ahmadian et al., arXiv 2402.14740). */
function reinforce(
  options: LawTrainerOptions,
  { penalty = 1, forgetful = false, fromOne = false, updateTemperature, own = 0, logsPenalised = false }: Wrong = {},
): Trainer {
  const { batchSize, beta = 1, steps, learningRate, schedule, loggingSteps, maxNewTokens = 4 } = options
  const { numGenerations = 2, temperature = 1 } = options
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
      bus,
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
        const examples = await data.next(batchSize)
        const prompts = examples.flatMap(({ prompt }) => Array.from({ length: numGenerations }, () => prompt))
        const generation = await policy.generate({
          prompts,
          streams: prompts.map((_, i) => sampled + i),
          sampling: { maxNewTokens, temperature, seed },
        })
        const { completions } = generation
        sampled += prompts.length
        const rollouts = prompts.map((ids, i): Rollout => ({
          ...{ prompt: { ids, text: '' }, completion: { ids: completions[i], text: '' }, columns: {} },
          ...{ logProbs: generation.logProbs[i], mask: new Uint8Array(completions[i].length).fill(1) },
          ...{ endedBy: generation.endedBy[i], version: generation.version, temperature },
        }))
        const { scores } = await reward.score({ rollouts })
        const rewards = Float64Array.from(scores, ([score]) => score)
        bus.emit('rollout.sampled', { step: step + 1, rollouts, groupSize: numGenerations, seconds: 0 })
        bus.emit('rollout.scored', { step: step + 1, rollouts, rewards, parts: {}, seconds: 0 })
        const batch = forestBatch(prompts.map((ids, i) => exampleOf(i, Array.from(ids), [Array.from(completions[i])])))
        const asked = { batch, temperature: updateTemperature ?? temperature }
        const logProbs = sumBySequence(batch, await policy.logProbs(asked))
        const refLogProbs = sumBySequence(batch, await reference.logProbs(asked))
        const returns = rewards.map((score, i) => score - penalty * beta * (logProbs[i] - refLogProbs[i]))
        const advantages = returns.map((value, i) => {
          const first = i - (i % numGenerations)
          const others = returns.filter((_, k) => k !== i && k >= first && k < first + numGenerations)
          if (others.length === 0) return 0
          return value - own * value - (1 - own) * (others.reduce((sum, other) => sum + other, 0) / others.length)
        })
        // The sum over the tokens of a completion, and the mean over completions: the objective is a mean over tokens.
        const tokens = batch.tokenMask.reduce((sum, bit) => sum + bit, 0)
        const weights = Float64Array.from(
          batch.targets,
          (_, t) => (batch.tokenMask[t] * advantages[batch.sequences[t]] * tokens) / prompts.length,
        )
        const plan = { learningRate, schedule, warmupSteps, totalSteps }
        const report = await policy.update({
          objective: weightedLikelihood,
          batches: [{ ...batch, inputs: { weights } }],
          optimizer: { name: 'adamw', beta1, beta2, epsilon, weightDecay },
          learningRate: learningRateAt(plan, step),
          maxGradNorm: options.maxGradNorm,
          metrics: false,
          temperature: updateTemperature ?? temperature,
        })
        const logged = step === 0 || (step + 1) % loggingSteps === 0 || step + 1 === totalSteps
        const number = fromOne ? step - startStep + 1 : step + 1
        const shown = logsPenalised ? returns : rewards
        const mean = shown.reduce((sum, value) => sum + value, 0) / shown.length
        yield { step: number, tokens: report.tokens, metrics: logged ? { loss: report.loss, reward: mean } : {} }
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
    claims: { optimum: 'reward', policyGradient: true },
  })

testLaws(suite(), { test })

describe('the laws of trainers kill', () => {
  test.each<[string, Wrong]>([
    ['trainer/reward', { penalty: -1 }],
    ['trainer/reward', { penalty: 0 }],
    ['resumption/trainer', { forgetful: true }],
    ['resumption/trainer', { fromOne: true }],
    ['reinforce/expected-step', { penalty: -1 }],
    ['reinforce/expected-step', { updateTemperature: 1 }],
    ['reinforce/expected-step', { own: 0.5 }],
    ['trainer/rollouts', { logsPenalised: true }],
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
  const unsupported = Object.fromEntries(none.unsupported.map(({ capability, laws }) => [capability, laws]))
  expect(unsupported.optimum).toEqual(
    expect.arrayContaining([
      ...['trainer/preferences', 'trainer/sampled-preferences', 'trainer/imitation', 'trainer/reward'],
      ...['reinforce/fresh-samples', 'trainer/rollouts'],
    ]),
  )
  expect(unsupported).toMatchObject({
    policyGradient: ['reinforce/expected-step'],
    movingMean: ['reinforce/mean-of-earlier'],
  })
  const unknown = lawsOfTrainer({ name: 'reinforce', create, objectives: lawObjectives, claims: { optimum: 'magic' } })
  expect(unknown.unproven).toEqual(['optimum'])
})
