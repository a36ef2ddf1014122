import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Example, StepReport } from '@collimate/core'
import { rewardModelLoss } from '@collimate/laws'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CalibrationBin } from './calibration.js'
import { endAtStop } from './end-at-stop.js'
import { rewardLossOptions, rewardOptions } from './options.js'
import { contextOf, fakeModel, pairsOf } from './testing.js'
import { rewardTrainer } from './trainer.js'

const trainerOf = (options: object = {}) =>
  rewardTrainer(rewardOptions.parse({ batchSize: 4, loggingSteps: 1, ...options }))

async function collect(steps: AsyncGenerator<StepReport>): Promise<StepReport[]> {
  const lines: StepReport[] = []
  for await (const line of steps) lines.push(line)
  return lines
}

/** The rewards of pairs under the fake model. */
const rewardsOf = (pairs: readonly Example[], { scoreOf } = fakeModel()) =>
  pairs.map(({ prompt, completions }) => {
    const [chosen, rejected] = completions.map((ids) => scoreOf(ids[ids.length - 1], prompt.length + ids.length - 1))
    return { chosen, rejected }
  })

describe('steps', () => {
  it('give the model pairs that share their prompt, with their margins', async () => {
    const { policy, updates } = fakeModel()
    const pairs = pairsOf(8, (index) => (index === 1 ? {} : { margin: index / 2 }))
    await collect(trainerOf({ microBatchSize: 3, centerRewardsCoefficient: 0.01 }).steps(contextOf(pairs, policy)))
    const [{ batches, objective }] = updates
    expect(objective).toEqual({ use: 'reward', options: { centerRewardsCoefficient: 0.01 } })
    expect(batches.map(({ rows, sequenceCount }) => [rows, sequenceCount])).toEqual([
      [3, 6],
      [1, 2],
    ])
    // Prompts are 1, 2 + index.
    const margins = batches.flatMap(({ tokens, width, rows, inputs }) =>
      Array.from({ length: rows }, (_, row) => [tokens[row * width + 1] - 2, inputs.margin[row]]),
    )
    expect(margins.sort(([a], [b]) => a - b)).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 1.5],
    ])
  })

  it('log in TRL’s names; num_tokens counts a prompt for each answer', async () => {
    const pairs = pairsOf(8)
    const lines = await collect(trainerOf({ learningRate: 1 }).steps(contextOf(pairs, fakeModel().policy)))
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

  it('refuse a margin that is no number, and a model without a scalar head', async () => {
    const { policy, updates } = fakeModel()
    for (const margin of ['much', NaN, [1]])
      await expect(
        collect(
          trainerOf().steps(
            contextOf(
              pairsOf(8, (index) => (index === 7 ? { margin } : {})),
              policy,
            ),
          ),
        ),
      ).rejects.toMatchObject({ code: 'COLLIMATE_DATA_FIELD_INVALID', message: expect.stringContaining('row 7') })
    expect(updates).toEqual([])
    const language = {
      ...policy,
      describe: async () => ({ ...(await policy.describe()), outputs: ['logProbs'] as const }),
    }
    await expect(collect(trainerOf().steps(contextOf(pairsOf(4), language)))).rejects.toMatchObject({
      code: 'COLLIMATE_OUTPUT_MISSING',
      hint: expect.stringContaining('head: score'),
    })
  })

  it('read answers up to their stop token, as completions that are sampled end', async () => {
    const { policy, updates } = fakeModel()
    // Turns of a conversation: 3 ends each, 9 is the line break behind it.
    const [pair] = pairsOf(1)
    const turns = { ...pair, completions: [Int32Array.of(5, 3, 9, 6, 3, 9), Int32Array.of(5, 3)] }
    await collect(trainerOf({ steps: 1, batchSize: 1 }).steps({ ...contextOf([turns], policy), totalSteps: 1 }))
    const [{ ends, tokens }] = updates[0].batches
    expect(Array.from(ends, (end) => tokens[end])).toEqual([3, 3])
    expect(endAtStop(turns, [3]).completions.map((ids) => [...ids])).toEqual([
      [5, 3, 9, 6, 3],
      [5, 3],
    ])
    expect(endAtStop(pair, [3])).toBe(pair)
    const masked = endAtStop({ ...turns, masks: turns.completions.map((ids) => new Uint8Array(ids.length)) }, [3])
    expect(masked.masks?.map((mask) => mask.length)).toEqual([5, 2])
  })
})

describe('evaluate', () => {
  it('measures held-out pairs with intervals, and tells the points of a calibration plot', async () => {
    const pairs = pairsOf(8, (index) => ({ margin: index / 8 }))
    const context = contextOf(pairs, fakeModel().policy)
    const plots: (readonly CalibrationBin[])[] = []
    context.bus.on('calibration.measured', ({ bins }) => plots.push(bins))
    const trainer = trainerOf({ microBatchSize: 3, centerRewardsCoefficient: 0.1 })
    const measured = (await trainer.evaluate?.(context)) ?? {}
    const rewards = rewardsOf(pairs)
    const all = rewards.flatMap(({ chosen, rejected }) => [chosen, rejected])
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    expect(measured.eval_loss.value).toBeCloseTo(
      rewardModelLoss(
        rewards.map((pair, i) => ({ ...pair, margin: i / 8 })),
        0.1,
      ),
      12,
    )
    expect(measured.eval_accuracy.value).toBe(rewards.filter(({ chosen, rejected }) => chosen > rejected).length / 8)
    expect(measured.eval_margin.value).toBeCloseTo(mean(rewards.map(({ chosen, rejected }) => chosen - rejected)), 12)
    expect(measured.eval_mean_reward.value).toBeCloseTo(mean(all), 12)
    expect(measured.eval_min_reward.value).toBe(Math.min(...all))
    expect(measured.eval_max_reward.value).toBe(Math.max(...all))
    expect(measured.eval_reward_std.value).toBeCloseTo(
      Math.sqrt(all.reduce((sum, value) => sum + (value - mean(all)) ** 2, 0) / 15),
      12,
    )
    expect(Object.keys(measured)).toEqual(
      expect.arrayContaining(['eval_calibration/error', 'eval_calibration/overconfidence']),
    )
    expect(plots).toHaveLength(1)
    expect(plots[0].reduce((sum, { observed }) => sum + (observed.count ?? 0), 0)).toBe(8)
  })

  it('counts a tie as wrong, and refuses rewards that are not finite', async () => {
    const pairs = pairsOf(8)
    const equal = (await trainerOf().evaluate?.(contextOf(pairs, fakeModel(() => 1).policy))) ?? {}
    expect(equal.eval_loss.value).toBeCloseTo(Math.LN2, 12)
    expect(equal.eval_accuracy.value).toBe(0)
    expect(equal.eval_reward_std).toMatchObject({ value: 0, low: 0, high: 0 })
    await expect(trainerOf().evaluate?.(contextOf(pairs, fakeModel(() => NaN).policy))).rejects.toMatchObject({
      code: 'COLLIMATE_NOT_FINITE',
    })
  })

  it('measures nothing where nothing is held out', async () => {
    const context = contextOf(pairsOf(8), fakeModel().policy)
    expect(await trainerOf().evaluate?.({ ...context, data: { ...context.data, evaluationLength: 0 } })).toEqual({})
  })
})

describe('completeModel', () => {
  async function normalisationOf(options: object, model = fakeModel(), evaluationLength = 8): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'collimate-reward-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const config = { model_type: 'llama', collimate: { rewardMean: 9, rewardStd: 9, other: 1 } }
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    const context = contextOf(pairsOf(8), model.policy)
    await trainerOf(options).completeModel?.({ ...context, data: { ...context.data, evaluationLength } }, { folder })
    const written = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))
    expect(written.model_type).toBe('llama')
    return written.collimate
  }

  it('writes mean and standard deviation of the rewards, and replaces those of another model', async () => {
    const all = rewardsOf(pairsOf(8)).flatMap(({ chosen, rejected }) => [chosen, rejected])
    const mean = all.reduce((a, b) => a + b, 0) / 16
    const std = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 15)
    const expected = { rewardMean: expect.closeTo(mean, 12), rewardStd: expect.closeTo(std, 12), other: 1 }
    expect(await normalisationOf({})).toEqual(expected)
    // Of the pairs that were trained on, where none are held out.
    expect(await normalisationOf({}, fakeModel(), 0)).toEqual(expected)
  })

  it('leaves none where it is not asked for, and where all rewards are equal', async () => {
    expect(await normalisationOf({ normalise: false })).toEqual({ other: 1 })
    expect(
      await normalisationOf(
        {},
        fakeModel(() => 3),
      ),
    ).toEqual({ other: 1 })
  })
})

describe('options', () => {
  it('plan pairs, by TRL’s defaults', () => {
    expect(rewardTrainer(rewardOptions.parse({})).plan).toEqual({
      dataset: 'preference',
      data: { maxLength: 1024, truncation: 'drop' },
      requires: { reference: false, reward: false, estimator: false },
      batchSize: 8,
      length: { epochs: 3 },
      shuffle: true,
    })
    expect(rewardOptions.parse({})).toMatchObject({ learningRate: 1e-4, centerRewardsCoefficient: 0 })
  })

  it.each([[{ centerRewardsCoefficient: -1 }], [{ centerRewardsCoefficient: Infinity }], [{ margin: true }]])(
    'refuse %j',
    (options) => {
      expect(rewardOptions.safeParse(options).success).toBe(false)
      expect(rewardLossOptions.safeParse(options).success).toBe(false)
    },
  )
})
