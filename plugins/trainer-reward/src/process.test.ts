import { NO_LABEL } from '@collimate/core'
import type { Example, ForestBatch, Policy, UpdateRequest } from '@collimate/core'
import { describe, expect, it } from 'vitest'
import { rewardOptions } from './options.js'
import { contextOf, fakeModel } from './testing.js'
import { rewardTrainer } from './trainer.js'

/** Answers of three steps, the last token of each a separator (9), with labels that differ from row to row. */
const rows = Array.from({ length: 6 }, (_, index): Example => {
  const steps = [
    [5 + index, 9],
    [6, 7, 9],
    [8, 9],
  ]
  const label = (step: number) => Number((index + step) % 3 !== 0)
  return {
    index,
    prompt: Int32Array.of(1, 2 + index),
    completions: [Int32Array.from(steps.flat())],
    labels: [
      Int32Array.from(steps.flatMap((step, at) => step.map((_, k) => (k === step.length - 1 ? label(at) : NO_LABEL)))),
    ],
    text: { prompt: '', completions: [''] },
    columns: {},
  }
})

/** Says of a token what its place in its sequence is, less 5: a process reward model that reads nothing else. */
function processModel() {
  const { policy, updates } = fakeModel()
  const values = ({ sources, positions, tokens, tokenMask }: ForestBatch) =>
    Float64Array.from(sources, (source, t) =>
      tokenMask[t] ? positions[source] - 5 + (tokens[source] === 9 ? 0 : 99) : 0,
    )
  const outputs = async ({ batch }: { batch: ForestBatch }) => ({ values: values(batch) })
  return { policy: { ...policy, outputs } as unknown as Policy, updates }
}

const trainerOf = (options: object = {}) =>
  rewardTrainer(rewardOptions.parse({ supervision: 'process', batchSize: 3, loggingSteps: 1, ...options }))

/** Places of the separators: 3, 6 and 8, behind two tokens of prompt. */
const valuesOfRow = [3, 6, 8].map((place) => place - 5)

describe('process supervision', () => {
  it('trains on the last token of each step, with its label', async () => {
    const { policy, updates } = processModel()
    const steps = trainerOf({ microBatchSize: 2 }).steps({ ...contextOf(rows, policy), totalSteps: 1 })
    expect((await steps.next()).value).toMatchObject({ step: 1, metrics: { num_tokens: 27, learning_rate: 1e-4 } })
    const [{ objective, batches }]: UpdateRequest[] = updates
    expect(objective).toEqual({ use: 'reward-process', options: {} })
    expect(batches).toHaveLength(2)
    for (const { sources, tokens, tokenMask, inputs, sequences } of batches) {
      const real = Array.from(sources.keys()).filter((t) => tokenMask[t] === 1)
      expect(real.map((t) => tokens[sources[t]])).toEqual(real.map(() => 9))
      expect(real).toHaveLength(3 * (Math.max(...sequences) + 1))
      expect(real.every((t) => [0, 1].includes(inputs.labels[t]))).toBe(true)
    }
  })

  it('measures held-out steps with intervals over rows', async () => {
    const { policy } = processModel()
    const measured = (await trainerOf().evaluate?.(contextOf(rows, policy))) ?? {}
    const all = rows.flatMap(({ labels = [] }) =>
      [...labels[0]].filter((label) => label !== NO_LABEL).map((label, step) => ({ value: valuesOfRow[step], label })),
    )
    const mean = (of: (step: (typeof all)[number]) => number) => all.reduce((sum, step) => sum + of(step), 0) / 18
    expect(measured.eval_accuracy.value).toBeCloseTo(
      mean(({ value, label }) => Number(value > 0 === (label === 1))),
      12,
    )
    expect(measured.eval_loss.value).toBeCloseTo(
      mean(({ value, label }) => Math.log1p(Math.exp(label === 1 ? -value : value))),
      12,
    )
    expect(measured).toMatchObject({ eval_min_reward: { value: -2 }, eval_max_reward: { value: 3 } })
    expect(measured.eval_accuracy.count).toBe(18)
    for (const { value, low = value, high = value } of Object.values(measured)) {
      expect(low).toBeLessThanOrEqual(value)
      expect(high).toBeGreaterThanOrEqual(value)
    }
  })

  it('asks for stepwise data, and refuses options of pairs', () => {
    expect(trainerOf({ stepSeparator: ';' }).plan).toMatchObject({ dataset: 'stepwise', data: { stepSeparator: ';' } })
    for (const option of [{ centerRewardsCoefficient: 0.1 }, { normalise: true }])
      expect(() => trainerOf(option)).toThrow(expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }))
  })
})
