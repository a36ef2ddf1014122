import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StepReport, TrainerContext } from '@collimate/core'
import { preferenceLoss } from '@collimate/laws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dpoObjective } from './objective.js'
import { dpoLossOptions, dpoOptions } from './options.js'
import { contextOf, fakeModel, pairsOf } from './testing.js'
import { dpoTrainer } from './trainer.js'

let cacheFolder: string
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'collimate-dpo-'))
})
afterEach(() => rm(cacheFolder, { recursive: true, force: true }))

const trainerOf = (options: object = {}) => dpoTrainer(dpoOptions.parse({ batchSize: 4, loggingSteps: 1, ...options }))

function setting(parts: Partial<TrainerContext> = {}) {
  const pairs = pairsOf(8)
  const reference = fakeModel(0.25)
  const policy = fakeModel(0.5)
  return {
    pairs,
    reference,
    policy,
    context: contextOf(pairs, { policy: policy.policy, reference: reference.reference, cacheFolder, ...parts }),
  }
}

async function collect(steps: AsyncGenerator<StepReport>): Promise<StepReport[]> {
  const lines: StepReport[] = []
  for await (const line of steps) lines.push(line)
  return lines
}

describe('steps', () => {
  it('gives the policy pairs that share their prompt, with the reference log-prob of every scored token', async () => {
    const { pairs, reference, policy, context } = setting()
    await collect(trainerOf({ microBatchSize: 3, beta: 0.2, labelSmoothing: 0.1 }).steps(context))
    const [{ batches, objective }] = policy.calls.updates
    expect(objective).toEqual({
      use: 'dpo',
      options: { loss: 'sigmoid', beta: 0.2, labelSmoothing: 0.1, fDivergenceType: 'reverse_kl' },
    })
    expect(batches.map(({ rows, sequenceCount }) => [rows, sequenceCount])).toEqual([
      [3, 6],
      [1, 2],
    ])
    for (const { inputs, sources, targets, positions, tokenMask } of batches) {
      const expected = Array.from(sources, (source, t) =>
        tokenMask[t] === 1 ? reference.logProbOf(targets[t], positions[source]) : 0,
      )
      expect(Array.from(inputs.refLogProbs)).toEqual(expected)
    }
    const tokens = pairs
      .slice(0, 4)
      .reduce((sum, { prompt, completions: [a, b] }) => sum + prompt.length + a.length + b.length, 0)
    expect(batches.reduce((sum, { tokenCount }) => sum + tokenCount, 0)).toBe(tokens)
  })

  it('logs in TRL’s names; num_tokens counts a prompt for each answer', async () => {
    const { pairs, context } = setting()
    const lines = await collect(trainerOf({ learningRate: 1 }).steps(context))
    const twice = pairs
      .slice(0, 4)
      .reduce((sum, { prompt, completions: [a, b] }) => sum + 2 * prompt.length + a.length + b.length, 0)
    expect(lines[0]).toEqual({
      step: 1,
      metrics: { loss: 0.5, grad_norm: 2, learning_rate: 1, num_tokens: twice, epoch: 0.5 },
      tokens: 9,
    })
    expect(lines[1].metrics).toMatchObject({ learning_rate: 0.5, epoch: 1 })
  })

  it('prepares the whole split before a run that sees all of it, and only what it sees otherwise', async () => {
    const whole = setting()
    await collect(trainerOf().steps(whole.context))
    expect(whole.reference.calls.logProbs).toBe(2)
    expect(await readdir(cacheFolder)).toHaveLength(1)
    const short = setting({ totalSteps: 1 })
    await collect(trainerOf().steps(short.context))
    expect(short.reference.calls.logProbs).toBe(1)
    expect(await readdir(cacheFolder)).toHaveLength(1)
  })

  it('goes on after a resume as if it had not stopped', async () => {
    const lines = await collect(trainerOf().steps(setting().context))
    const { context } = setting()
    const stopped = trainerOf()
    const begun: StepReport[] = []
    for await (const line of stopped.steps(context)) if (begun.push(line) === 1) break
    const resumed = trainerOf()
    resumed.restore(JSON.parse(JSON.stringify(stopped.state())))
    expect([...begun, ...(await collect(resumed.steps({ ...context, startStep: 1 })))]).toEqual(lines)
  })

  it('says so where there is no reference', async () => {
    const { context } = setting({ reference: undefined })
    await expect(collect(trainerOf().steps(context))).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_TRAINER_INCOMPLETE' }),
    )
  })
})

describe('evaluate', () => {
  it('measures the loss and the implicit rewards of the held-out pairs with intervals', async () => {
    const { pairs, context } = setting()
    const measured = (await trainerOf({ beta: 0.2, microBatchSize: 3 }).evaluate?.(context)) ?? {}
    // Policy minus reference: −0.25 (target + position / 8) for each token.
    const rewards = pairs.map(({ prompt, completions }) =>
      completions.map((ids) => 0.2 * ids.reduce((sum, id, k) => sum - 0.25 * (id + (prompt.length + k - 1) / 8), 0)),
    )
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    const margins = rewards.map(([chosen, rejected]) => chosen - rejected)
    expect(measured['eval_rewards/chosen'].value).toBeCloseTo(mean(rewards.map(([chosen]) => chosen)), 9)
    expect(measured['eval_rewards/rejected'].value).toBeCloseTo(mean(rewards.map(([, rejected]) => rejected)), 9)
    expect(measured['eval_rewards/margins'].value).toBeCloseTo(mean(margins), 9)
    expect(measured['eval_rewards/accuracies'].value).toBe(margins.filter((margin) => margin > 0).length / 8)
    expect(measured.eval_loss.value).toBeCloseTo(mean(margins.map((margin) => Math.log1p(Math.exp(-margin)))), 9)
    for (const { value, low, high, count } of Object.values(measured)) {
      expect(count).toBe(8)
      expect(low).toBeLessThanOrEqual(value)
      expect(high).toBeGreaterThanOrEqual(value)
    }
  })

  it('is ln 2 with accuracy 0 where the policy is the reference: a tie is not a win', async () => {
    const { context, reference } = setting()
    const measured = (await trainerOf().evaluate?.({ ...context, policy: reference.policy })) ?? {}
    expect(measured.eval_loss.value).toBeCloseTo(Math.LN2, 12)
    expect(measured['eval_rewards/accuracies'].value).toBe(0)
  })

  it.each(['aot', 'aot_unpaired', 'ipo', 'sppo_hard'] as const)(
    'has the loss %s on batches in the order of the data',
    async (loss) => {
      const { pairs, context } = setting()
      const measured = (await trainerOf({ loss, batchSize: 3 }).evaluate?.(context)) ?? {}
      const answer = ({ prompt, completions }: (typeof pairs)[number], side: number) => {
        const sum = (slope: number) =>
          completions[side].reduce((total, id, k) => total - slope * (id + (prompt.length + k - 1) / 8), 0)
        return { logProb: sum(0.5), refLogProb: sum(0.25), length: completions[side].length }
      }
      const sums = pairs.map((pair) => ({ chosen: answer(pair, 0), rejected: answer(pair, 1) }))
      const of = preferenceLoss(loss, { beta: 0.1 })
      const total = [0, 3, 6].reduce((all, start) => {
        const batch = sums.slice(start, start + 3)
        return all + batch.length * of(batch)
      }, 0)
      expect(measured.eval_loss.value).toBeCloseTo(total / 8, 9)
    },
  )

  it('refuses a model whose log-probs are not finite', async () => {
    const { context } = setting({ policy: fakeModel(NaN).policy })
    await expect(trainerOf().evaluate?.(context)).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_NOT_FINITE' }),
    )
  })

  it('measures nothing where nothing is held out', async () => {
    const { context } = setting()
    expect(await trainerOf().evaluate?.({ ...context, data: { ...context.data, evaluationLength: 0 } })).toEqual({})
  })
})

describe('options', () => {
  it('plan pairs with a reference, by TRL’s defaults', () => {
    expect(dpoTrainer(dpoOptions.parse({})).plan).toEqual({
      dataset: 'preference',
      data: { maxLength: 1024, truncation: 'keep_start' },
      requires: { reference: true, reward: false, estimator: false },
      batchSize: 8,
      length: { epochs: 3 },
      shuffle: true,
    })
    expect(dpoOptions.parse({})).toMatchObject({ learningRate: 1e-6, beta: 0.1, loss: 'sigmoid', labelSmoothing: 0 })
  })

  it.each([
    [{ beta: 0 }],
    [{ beta: -1 }],
    [{ beta: Infinity }],
    [{ labelSmoothing: 0.5 }],
    [{ labelSmoothing: -0.1 }],
    [{ loss: 'dpo' }],
    [{ fDivergenceType: 'kl' }],
    [{ discopopTau: 0 }],
    [{ discopopTau: 1.1 }],
    [{ epsilon_: 1 }],
  ])('refuse %j', (options) => {
    expect(dpoOptions.safeParse(options).success).toBe(false)
    expect(dpoLossOptions.safeParse(options).success).toBe(false)
  })

  it.each([
    [{ loss: 'hinge', labelSmoothing: 0.1 }, 'labelSmoothing'],
    [{ loss: 'ipo', labelSmoothing: 0.1 }, 'labelSmoothing'],
    [{ loss: 'exo_pair' }, 'labelSmoothing'],
    [{ loss: 'bco_pair', fDivergenceType: 'forward_kl' }, 'fDivergenceType'],
    [{ loss: 'aot', fDivergenceType: 'js_divergence' }, 'fDivergenceType'],
    [{ fAlphaDivergenceCoef: 0.5 }, 'fAlphaDivergenceCoef'],
    [{ discopopTau: 0.1 }, 'discopopTau'],
  ])('that the loss would ignore are refused: %j', (options, named) => {
    const refused = expect.objectContaining({
      code: 'COLLIMATE_OPTION_CONFLICT',
      message: expect.stringContaining(named),
    })
    expect(() => dpoTrainer(dpoOptions.parse(options))).toThrow(refused)
    expect(() => dpoObjective(dpoLossOptions.parse(options))).toThrow(refused)
  })

  it.each(['aot', 'aot_unpaired'])('a batch that %s sorts over is not split', (loss) => {
    const of = (options: object) => dpoTrainer(dpoOptions.parse({ loss, ...options }))
    expect(() => of({ batchSize: 8, microBatchSize: 4 })).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }),
    )
    expect(of({ batchSize: 4, microBatchSize: 8 }).plan.batchSize).toBe(4)
  })

  it('go to the objective whole', async () => {
    const { policy, context } = setting()
    const given = { loss: 'discopop', discopopTau: 0.1, fDivergenceType: 'alpha_divergence', fAlphaDivergenceCoef: 0.3 }
    await collect(trainerOf(given).steps(context))
    expect(policy.calls.updates[0].objective.options).toEqual({ ...given, beta: 0.1, labelSmoothing: 0 })
  })
})
