import { existsSync, readFileSync } from 'node:fs'
import type { ModelOutput, Objective, ObjectiveTensors } from '@collimate/core'
import { add, constant, div, evaluate, fill, gradients, input, mul, sum, where } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { describe, expect, it } from 'vitest'
import { ppoLossOptions, valueLossOptions } from './loss-options.js'
import { ppoObjective } from './ppo-objective.js'
import { valueObjective } from './value-objective.js'

type Rows = readonly (readonly number[])[]

/** Loss, gradients and metrics of tokens, masked as the model does it: in float64, content of padding `junk`. */
function judge(
  objective: Objective<Tensor>,
  mask: Rows,
  numbers: Readonly<Record<string, Rows>>,
  junk = 0,
): { loss: number; gradient: Readonly<Record<string, readonly number[]>>; metrics: Readonly<Record<string, number>> } {
  const bits = mask.flat()
  const width = bits.length
  const of = (name: string): Float64Array =>
    Float64Array.from(bits, (bit, at) => (bit === 0 ? junk : (numbers[name] as Rows).flat()[at]))
  const real = constant(Uint8Array.from(bits), [width])
  const cut = (x: Tensor) => where(real, x, 0)
  const outputs = Object.fromEntries(objective.outputs.map((name) => [name, input(name, [width])]))
  const output = (name: ModelOutput) => (outputs[name] ? cut(outputs[name]) : fill(2, [width]))
  const tokenMask = constant(bits, [width])
  const tensors: ObjectiveTensors<Tensor> = {
    ...{ logProbs: output('logProbs'), entropy: output('entropy'), values: output('values') },
    ...{ correct: fill(0, [width]), meanLogits: fill(0, [width]), scores: fill(0, [1]) },
    ...{ tokenMask, sequenceMask: fill(1, [1]), sequences: constant(new Int32Array(width), [width]) },
    inputs: Object.fromEntries(
      Object.keys(objective.inputs).map((name) => [name, cut(input(`inputs.${name}`, [width]))]),
    ),
    sumBySequence: () => fill(0, [1]),
  }
  const mean = (x: Tensor) => div(sum(where(real, x, 0)), sum(tokenMask))
  const loss = objective
    .terms(tensors)
    .map(({ perUnit, weight = 1 }) => mul(mean(perUnit), weight))
    .reduce((a, b) => add(a, b))
  const metrics = Object.entries(objective.metrics(tensors))
  const slopes = gradients(loss, Object.values(outputs))
  const feeds = {
    ...Object.fromEntries(Object.keys(outputs).map((name) => [name, of(name)])),
    ...Object.fromEntries(Object.keys(objective.inputs).map((name) => [`inputs.${name}`, of(name)])),
  }
  const all = evaluate([loss, ...slopes, ...metrics.map(([, { perUnit }]) => mean(perUnit))], feeds)
  const found = all.map(({ data }) => Array.from(data, Number))
  return {
    loss: found[0][0],
    gradient: Object.fromEntries(objective.outputs.map((name, at) => [name, found[1 + at]])),
    metrics: Object.fromEntries(metrics.map(([name], at) => [name, found[1 + slopes.length + at][0]])),
  }
}

const near = (found: number, expected: number, tolerance = 1e-9) =>
  expect(Math.abs(found - expected) / Math.max(1, Math.abs(expected)), `${found} is not ${expected}`).toBeLessThan(
    tolerance,
  )
const all = (found: readonly number[], expected: readonly number[]) => {
  expect(found.length).toBe(expected.length)
  expected.forEach((value, at) => near(found[at], value))
}

const policyOf = (options: object = {}) => ppoObjective(ppoLossOptions.parse(options))
const valueOf = (options: object = {}) => valueObjective(valueLossOptions.parse(options))

interface PolicyCase {
  readonly name: string
  readonly cliprange: number
  readonly inputs: Readonly<Record<'new_logprobs' | 'old_logprobs' | 'advantages' | 'mask', Rows>>
  readonly policy_loss: number
  readonly clipfrac: number
  readonly approx_kl: number
  readonly mean_ratio: number
  readonly grad_new_logprobs: Rows
}
interface ValueCase {
  readonly name: string
  readonly cliprange_value: number
  readonly inputs: Readonly<Record<'new_values' | 'old_values' | 'returns' | 'mask', Rows>>
  readonly value_loss: number
  readonly clipfrac: number
  readonly grad_new_values: Rows
}

const file = new URL('../../../test/parity/losses/ppo.json', import.meta.url)
describe.skipIf(!existsSync(file))('parity with the PPO of TRL 0.x (losses/ppo.json)', () => {
  const { policy_cases: policies, value_cases: values } = (
    existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { policy_cases: [], value_cases: [] }
  ) as { policy_cases: PolicyCase[]; value_cases: ValueCase[] }
  const policyNumbers = ({ inputs }: PolicyCase) => ({
    ...{ logProbs: inputs.new_logprobs, oldLogProbs: inputs.old_logprobs, advantages: inputs.advantages },
  })
  const valueNumbers = ({ inputs }: ValueCase) => ({
    ...{ values: inputs.new_values, oldValues: inputs.old_values, returns: inputs.returns },
  })

  it.each(policies.map((one) => [one.name, one] as const))('%s', (_, one) => {
    for (const junk of [0, NaN]) {
      const { loss, gradient, metrics } = judge(
        policyOf({ cliprange: one.cliprange }),
        one.inputs.mask,
        policyNumbers(one),
        junk,
      )
      near(loss, one.policy_loss)
      all(gradient.logProbs, one.grad_new_logprobs.flat())
      near(metrics['loss/policy_avg'], one.policy_loss)
      near(metrics['policy/clipfrac_avg'], one.clipfrac)
      near(metrics['policy/approxkl_avg'], one.approx_kl)
      near(metrics['val/ratio'], one.mean_ratio)
    }
  })

  it.each(values.map((one) => [one.name, one] as const))('%s', (_, one) => {
    for (const vfCoef of [0.1, 1]) {
      const { loss, gradient, metrics } = judge(
        valueOf({ cliprangeValue: one.cliprange_value, vfCoef }),
        one.inputs.mask,
        valueNumbers(one),
        NaN,
      )
      near(loss, vfCoef * one.value_loss)
      all(
        gradient.values,
        one.grad_new_values.flat().map((slope) => vfCoef * slope),
      )
      near(metrics['loss/value_avg'], one.value_loss)
      near(metrics['val/clipfrac_avg'], one.clipfrac)
    }
  })

  it('a shared trunk adds the value loss to that of the policy', () => {
    const [policy, value] = [policies[0], values[1]]
    // The mask of one is that of the other: both come from one batch.
    expect(policy.inputs.mask).toEqual(value.inputs.mask)
    const options = {
      critic: 'shared',
      cliprange: policy.cliprange,
      cliprangeValue: value.cliprange_value,
      vfCoef: 0.5,
    }
    const numbers = { ...policyNumbers(policy), ...valueNumbers(value) }
    const { loss, gradient, metrics } = judge(policyOf(options), policy.inputs.mask, numbers, NaN)
    near(loss, policy.policy_loss + 0.5 * value.value_loss)
    all(gradient.logProbs, policy.grad_new_logprobs.flat())
    all(
      gradient.values,
      value.grad_new_values.flat().map((slope) => 0.5 * slope),
    )
    near(metrics['loss/value_avg'], value.value_loss)
  })
})

describe('the loss of PPO', () => {
  const one = (logProb: number, oldLogProb: number, advantage: number, options: object = {}) =>
    judge(policyOf(options), [[1]], { logProbs: [[logProb]], oldLogProbs: [[oldLogProb]], advantages: [[advantage]] })

  it('clips above by cliprangeHigh alone', () => {
    const at = Math.log(1.25)
    near(one(at - 2, -2, 1, { cliprangeHigh: 0.3 }).loss, -1.25)
    near(one(at - 2, -2, 1).loss, -1.2)
    near(one(-at - 2, -2, -1, { cliprangeHigh: 0.3 }).loss, 0.8)
    near(one(at - 2, -2, 1).metrics['policy/clipfrac_avg'], 1)
  })

  it('takes entropyCoef times the entropy off, and asks for the entropy only then', () => {
    expect(policyOf().outputs).toEqual(['logProbs'])
    const objective = policyOf({ entropyCoef: 0.25 })
    expect(objective.outputs).toEqual(['logProbs', 'entropy'])
    const numbers = { logProbs: [[-1]], oldLogProbs: [[-1]], advantages: [[3]], entropy: [[1.5]] }
    const { loss, gradient } = judge(objective, [[1]], numbers)
    near(loss, -3 - 0.25 * 1.5)
    near(gradient.entropy[0], -0.25)
  })

  it('stays finite where policy and samples have nothing in common', () => {
    for (const [next, old] of [
      [0, -1e4],
      [-1e4, 0],
    ])
      for (const advantage of [1, -1, 0]) {
        const { loss, gradient, metrics } = one(next, old, advantage)
        for (const value of [loss, gradient.logProbs[0], ...Object.values(metrics)])
          expect(Number.isFinite(value), `${next} ${old} ${advantage}: ${value}`).toBe(true)
      }
  })

  it.each([{ cliprange: 0 }, { cliprange: 1 }, { cliprangeValue: 0 }, { vfCoef: -1 }, { critic: 'none' }, { clip: 1 }])(
    'refuses %j',
    (options) => {
      expect(ppoLossOptions.safeParse(options).success).toBe(false)
    },
  )
})
