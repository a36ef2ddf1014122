import { existsSync, readFileSync } from 'node:fs'
import type { Metric, ObjectiveTensors } from '@collimate/core'
import { constant, evaluate, fill, gradients, input, max, mean, neg } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { describe, expect, it } from 'vitest'
import { rewardObjective } from './objective.js'

interface Pairs {
  readonly chosen: readonly number[]
  readonly rejected: readonly number[]
  readonly margin?: readonly number[] | null
}

/** Loss, its gradient by both scores, and metrics, in float64. */
function judge({ chosen, rejected, margin }: Pairs, centerRewardsCoefficient = 0) {
  const objective = rewardObjective({ centerRewardsCoefficient })
  const count = chosen.length
  const scores = input('scores', [2 * count])
  const none = fill(0, [1])
  const tensors: ObjectiveTensors<Tensor> = {
    ...{ logProbs: none, entropy: none, correct: none, meanLogits: none, values: none, tokenMask: none },
    ...{ scores, sequenceMask: fill(1, [2 * count]), sequences: constant(new Int32Array(1), [1]) },
    inputs: { margin: margin ? constant(margin) : fill(0, [count]) },
    sumBySequence: (perToken) => perToken,
  }
  const [{ perUnit }] = objective.terms(tensors)
  const loss = mean(perUnit)
  const reduced = ({ perUnit: values, extreme }: Metric<Tensor>): Tensor => {
    if (extreme === 'greatest') return max(values)
    return extreme === 'least' ? neg(max(neg(values))) : mean(values)
  }
  const metrics = Object.entries(objective.metrics(tensors)).map(([name, metric]) => [name, reduced(metric)] as const)
  const [lossValue, gradient, ...values] = evaluate(
    [loss, gradients(loss, [scores])[0], ...metrics.map(([, metric]) => metric)],
    { scores: Float64Array.from({ length: 2 * count }, (_, n) => (n % 2 === 0 ? chosen : rejected)[n >> 1]) },
  ).map(({ data }) => Array.from(data, Number))
  return {
    loss: lossValue[0],
    chosen: gradient.filter((_, n) => n % 2 === 0),
    rejected: gradient.filter((_, n) => n % 2 === 1),
    metrics: Object.fromEntries(metrics.map(([name], i) => [name, values[i][0]])),
  }
}

const near = (a: number, b: number, tolerance = 1e-9) =>
  expect(Math.abs(a - b) / Math.max(1, Math.abs(b)), `${a} is not ${b}`).toBeLessThan(tolerance)

it('ties are wrong, and rewards far apart neither overflow nor lose their gradient', () => {
  const { loss, chosen, metrics } = judge({ chosen: [1, 1e4, -1e4], rejected: [1, -1e4, 1e4] })
  near(loss, (Math.LN2 + 0 + 2e4) / 3)
  expect(chosen.map((value) => 3 * value)).toEqual([-0.5, 0, -1])
  expect(metrics).toMatchObject({ accuracy: 1 / 3, min_reward: -1e4, max_reward: 1e4 })
})

interface Case {
  readonly name: string
  readonly settings: { readonly center_rewards_coefficient: number | null }
  readonly inputs: Pairs
  readonly loss: number
  readonly grad_chosen: readonly number[]
  readonly grad_rejected: readonly number[]
  readonly metrics: Readonly<Record<string, number>>
}

const file = new URL('../../../test/parity/losses/reward.json', import.meta.url)
describe.skipIf(!existsSync(file))('parity with TRL (losses/reward.json)', () => {
  const { cases }: { cases: Case[] } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { cases: [] }

  it.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
    const judged = judge(c.inputs, c.settings.center_rewards_coefficient ?? 0)
    near(judged.loss, c.loss)
    judged.chosen.forEach((value, i) => near(value, c.grad_chosen[i]))
    judged.rejected.forEach((value, i) => near(value, c.grad_rejected[i]))
    const { num_tokens: _tokens, ...metrics } = c.metrics
    expect(Object.keys(judged.metrics).sort()).toEqual(Object.keys(metrics).sort())
    for (const [name, value] of Object.entries(metrics)) near(judged.metrics[name], value)
  })
})
