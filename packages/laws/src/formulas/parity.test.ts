import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { derivative } from './distributions.js'
import { ownFormulas as own } from './formulas.js'

const file = (name: string) => new URL(`../../../../test/parity/losses/${name}.json`, import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(file(name), 'utf8'))
const near = (found: number, expected: number, tolerance = 1e-9) =>
  expect(Math.abs(found - expected) / Math.max(1, Math.abs(expected)), `${found} is not ${expected}`).toBeLessThan(
    tolerance,
  )
const all = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance?: number) => {
  expect(found.length).toBe(expected.length)
  for (let i = 0; i < found.length; i++) near(found[i], expected[i], tolerance)
}

type Rows = number[][]
const flat = (rows: Rows) => Float64Array.from(rows.flat())
const masked = (mask: Rows, per: (slot: number) => number) => {
  const values = mask.flat().flatMap((bit, slot) => (bit === 1 ? [per(slot)] : []))
  return values.reduce((a, b) => a + b, 0) / values.length
}

const has = ['gae', 'ppo', 'group', 'kl'].every((name) => existsSync(file(name)))
describe.skipIf(!has)('parity of the formulas with the Python peers', () => {
  it('GAE and whitening, as the PPO of TRL 0.x', () => {
    for (const { inputs, gamma, lambda, ...expected } of read('gae').cases) {
      const mask = Uint8Array.from(inputs.mask.flat())
      const [rows, width] = [inputs.mask.length, inputs.mask[0].length]
      const batch = { rows, width, mask, rewards: flat(inputs.rewards), values: flat(inputs.values) }
      const { advantages, returns } = own.gae({ ...batch, gamma, lambda })
      all(advantages, flat(expected.advantages))
      all(returns, flat(expected.returns))
      all(own.whiten({ values: advantages, mask }), flat(expected.advantages_whitened))
      if (lambda === 1)
        all(
          own.monteCarloReturns({ ...batch, gamma }),
          advantages.map((advantage, slot) => (mask[slot] === 0 ? 0 : advantage + batch.values[slot])),
        )
    }
  })

  it('the clipped surrogate and the clipped value loss, values and gradients', () => {
    const { policy_cases: policy, value_cases: value } = read('ppo')
    for (const {
      inputs,
      cliprange,
      policy_loss: loss,
      clipfrac,
      approx_kl: kl2,
      approx_kl_k3: kl3,
      ...rest
    } of policy) {
      const [next, old, advantages] = [inputs.new_logprobs, inputs.old_logprobs, inputs.advantages].map(flat)
      const clip = { low: cliprange, high: cliprange }
      const at = (slot: number) => next[slot] - old[slot]
      near(
        masked(inputs.mask, (slot) => own.clippedSurrogate(at(slot), advantages[slot], clip)),
        loss,
      )
      const isClipped = (slot: number) =>
        own.clippedSurrogate(at(slot), advantages[slot], clip) > -advantages[slot] * Math.exp(at(slot)) + 1e-15
      near(
        masked(inputs.mask, (slot) => Number(isClipped(slot))),
        clipfrac,
      )
      near(
        masked(inputs.mask, (slot) => own.k2(old[slot], next[slot])),
        kl2,
      )
      // k3 of old against new, from samples of the old policy.
      near(
        masked(inputs.mask, (slot) => own.k3(old[slot], next[slot])),
        kl3,
      )
      const count = inputs.mask.flat().reduce((a: number, b: number) => a + b, 0)
      inputs.mask.flat().forEach((bit: number, slot: number) => {
        const slope = derivative((x) => own.clippedSurrogate(x, advantages[slot], clip), at(slot), 1e-5)
        near(bit * (slope / count), flat(rest.grad_new_logprobs)[slot], 1e-8)
      })
    }
    for (const { inputs, cliprange_value: range, value_loss: loss, grad_new_values: gradient } of value) {
      const [v, old, target] = [inputs.new_values, inputs.old_values, inputs.returns].map(flat)
      near(
        masked(inputs.mask, (slot) => own.clippedValueLoss(v[slot], old[slot], target[slot], range)),
        loss,
      )
      const count = inputs.mask.flat().reduce((a: number, b: number) => a + b, 0)
      inputs.mask.flat().forEach((bit: number, slot: number) => {
        const slope = derivative((x) => own.clippedValueLoss(x, old[slot], target[slot], range), v[slot], 1e-5)
        near(bit * (slope / count), flat(gradient)[slot], 1e-8)
      })
    }
  })

  it('advantages of RLOO, GRPO and Dr. GRPO', () => {
    for (const { group_size: size, rewards, rloo, grpo, dr_grpo: plain } of read('group').advantage_cases) {
      all(own.leaveOneOut(rewards, size), rloo)
      all(own.groupAdvantages(rewards, size, 'std'), grpo)
      all(own.groupAdvantages(rewards, size, 'none'), plain)
    }
  })

  it('the KL estimators against fifty-digit arithmetic, relatively to the value', () => {
    for (const { log_ratio: r, k1, k2, k3 } of read('kl').rows) {
      // log_ratio = log π_ref − log π.
      const relative = (found: number, expected: number) =>
        expect(Math.abs(found - expected), `${found} is not ${expected} at ${r}`).toBeLessThanOrEqual(
          1e-11 * Math.abs(expected),
        )
      relative(own.k1(0, r), k1)
      relative(own.k2(0, r), k2)
      relative(own.k3(0, r), k3)
    }
  })
})
