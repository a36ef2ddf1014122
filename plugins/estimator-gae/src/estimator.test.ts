import { existsSync, readFileSync } from 'node:fs'
import type { EstimatorRequest } from '@collimate/core'
import { whiten } from '@collimate/rollouts'
import { describe, expect, it } from 'vitest'
import { gaeEstimator } from './estimator.js'
import { gaeOptions } from './options.js'

const near = (found: ArrayLike<number>, expected: readonly number[]) => {
  expect(found.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++)
    expect(
      Math.abs(found[i] - expected[i]) / Math.max(1, Math.abs(expected[i])),
      `${found[i]} is not ${expected[i]}`,
    ).toBeLessThan(1e-9)
}

type Rows = readonly (readonly number[])[]
interface Case {
  readonly name: string
  readonly gamma: number
  readonly lambda: number
  readonly inputs: { readonly rewards: Rows; readonly values: Rows; readonly mask: Rows }
  readonly advantages: Rows
  readonly returns: Rows
  readonly advantages_whitened: Rows
  readonly advantages_whitened_keep_mean: Rows
}

const file = new URL('../../../test/parity/losses/gae.json', import.meta.url)
describe.skipIf(!existsSync(file))('parity with the PPO of TRL 0.x (losses/gae.json)', () => {
  const cases: Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : []

  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { gamma, lambda, inputs } = one
    const [rows, width] = [inputs.mask.length, inputs.mask[0].length]
    const mask = Uint8Array.from(inputs.mask.flat())
    // What stands behind the end of a row is nobody's.
    const junk = (values: Rows) => Float64Array.from(values.flat(), (value, slot) => (mask[slot] === 0 ? NaN : value))
    const request = { rows, width, mask, rewards: junk(inputs.rewards), values: junk(inputs.values) }
    const estimate = (white: boolean) =>
      gaeEstimator({ gamma, lambda, whiten: white }).estimate({ ...request, logProbs: new Float64Array(rows * width) })
    const plain = await estimate(false)
    const white = await estimate(true)
    near(plain.advantages, one.advantages.flat())
    near(plain.returns, one.returns.flat())
    near(white.advantages, one.advantages_whitened.flat())
    near(white.returns, one.returns.flat())
    near(whiten(plain.advantages, mask, { keepMean: true }), one.advantages_whitened_keep_mean.flat())
  })
})

describe('the estimator', () => {
  const estimator = gaeEstimator(gaeOptions.parse({ whiten: false }))
  const request: EstimatorRequest = {
    ...{ rows: 2, width: 2 },
    rewards: Float64Array.of(0, 1, 2, 0),
    values: Float64Array.of(0.5, 0.5, 1, 0),
    logProbs: new Float64Array(4),
    mask: Uint8Array.of(1, 1, 1, 0),
  }

  it('has the defaults of TRL', () => {
    expect(gaeOptions.parse({})).toEqual({ gamma: 1, lambda: 0.95, whiten: true })
  })

  it('takes the value behind a completion that was cut from finalValues', async () => {
    const { advantages } = await estimator.estimate({ ...request, finalValues: Float64Array.of(0, 3) })
    expect(advantages[2]).toBe(2 + 3 - 1)
    expect(advantages[1]).toBe(0.5)
  })

  it.each<[string, Partial<EstimatorRequest>, RegExp]>([
    ['no values', { values: undefined }, /need a critic/],
    ['too few rewards', { rewards: new Float64Array(3) }, /rewards have 3 numbers, not 2 rows of 2/],
    ['a mask of another size', { mask: new Uint8Array(5) }, /mask have 5 numbers/],
    ['too many final values', { finalValues: new Float64Array(4) }, /finalValues have 4 numbers/],
    ['a reward that is no number', { rewards: Float64Array.of(0, 1, NaN, 0) }, /rewards of row 1, token 0: NaN/],
    ['an infinite value', { values: Float64Array.of(0, Infinity, 1, 0) }, /values of row 0, token 1: Infinity/],
    ['a final value that is no number', { finalValues: Float64Array.of(0, NaN) }, /the final value of row 1 is NaN/],
  ])('refuses %s', async (_, change, message) => {
    const asked = estimator.estimate({ ...request, ...change })
    await expect(asked).rejects.toMatchObject({
      code: 'COLLIMATE_ESTIMATE_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('whitens a single token to 0 and an empty batch to nothing', async () => {
    const white = gaeEstimator(gaeOptions.parse({}))
    const one = { ...request, mask: Uint8Array.of(1, 0, 0, 0) }
    expect(Array.from((await white.estimate(one)).advantages)).toEqual([0, 0, 0, 0])
    const none = { ...request, mask: new Uint8Array(4) }
    expect(Array.from((await white.estimate(none)).advantages)).toEqual([0, 0, 0, 0])
  })
})
