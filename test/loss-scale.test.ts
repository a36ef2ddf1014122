import type { AdamWOptions, Backend, Objective, Policy, UpdateRequest } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { mul, neg, sqrt } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nextToken, onnxBackend, policyOf, smallModel } from './support/policies.js'

// float16 has 11 bits and nothing below 6e-8: products round, and small gradients need the loss to be scaled.
let single: Backend
let half: Backend
beforeAll(async () => void ([single, half] = await Promise.all([onnxBackend(), onnxBackend({ precision: 'float16' })])))
afterAll(() => Promise.all([single.close(), half.close()]))

const adamw: AdamWOptions = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
const objective = (name: string, terms: Objective<Tensor>['terms']): Objective<Tensor> => ({
  ...nextToken,
  name,
  terms,
})
const objectives = {
  faint: objective('faint', (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens', weight: 2 ** -20 }]),
  loud: objective('loud', (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens', weight: 2 ** 12 }]),
  // The loss is 0, and its derivative ∞ · 0.
  broken: objective('broken', (t) => [{ perUnit: sqrt(mul(t.logProbs, 0)), unit: 'tokens' }]),
}
const example = (prompt: number[], ...completions: number[][]) => ({
  ...{ index: 0, prompt: Int32Array.from(prompt), completions: completions.map((ids) => Int32Array.from(ids)) },
  ...{ text: { prompt: '', completions: completions.map(() => '') }, columns: {} },
})
const batch = forestBatch([example([4, 9, 3], [5, 6, 2], [8, 2]), example([11], [7, 12, 20, 2])])
const request = (use: string): UpdateRequest => ({
  ...{ objective: { use, options: {} }, batches: [batch], optimizer: adamw },
  ...{ learningRate: 0.01, maxGradNorm: 1, metrics: true },
})

/** Updates of a new policy, and what it is then. */
async function trained(backend: Backend, use: string, lossScale: 'auto' | number, steps = 3) {
  const policy = await policyOf(backend, smallModel(), { objectives, lossScale })
  const reports = []
  for (let step = 0; step < steps; step++) reports.push(await policy.update(request(use)))
  const snapshot = await policy.snapshot()
  await policy.close()
  return { reports, snapshot }
}

test('law: in float32 no scale of the loss changes a bit of weights, moments or what is reported', async () => {
  const plain = await trained(single, 'next-token', 1)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 24 }), async (power) => {
      const scaled = await trained(single, 'next-token', 2 ** power)
      expect(scaled.snapshot).toEqual(plain.snapshot)
      expect(scaled.reports).toEqual(plain.reports)
    }),
    { numRuns: 5 },
  )
  expect(plain.snapshot).not.toHaveProperty('lossScale')
  expect(plain.reports[0]).not.toHaveProperty('lossScale')
})

describe('in float16', () => {
  test('training is near that of float32, and says how the loss is scaled', async () => {
    const [exact, rounded] = [await trained(single, 'next-token', 1), await trained(half, 'next-token', 'auto')]
    rounded.reports.forEach(({ loss, gradNorm, lossScale }, step) => {
      expect(Math.abs(loss / exact.reports[step].loss - 1)).toBeLessThan(5e-3)
      expect(Math.abs(gradNorm / exact.reports[step].gradNorm - 1)).toBeLessThan(2e-2)
      expect(Number.isInteger(Math.log2(lossScale ?? 0))).toBe(true)
    })
    // The weights themselves are in float32: not all of them are values of float16.
    const { data } = rounded.snapshot.tensors['model.norm.weight']
    expect(Array.from(data).some((value) => !Number.isInteger(value * 2 ** 11))).toBe(true)
  })

  test('a faint gradient vanishes, unless the loss is scaled', async () => {
    const exact = (await trained(single, 'faint', 1)).reports[0].gradNorm
    const errorOf = async (scale: 'auto' | number) =>
      Math.abs((await trained(half, 'faint', scale)).reports[0].gradNorm / exact - 1)
    expect(await errorOf(1)).toBeGreaterThan(0.1)
    expect(await errorOf('auto')).toBeLessThan(0.01)
  })

  test('where the gradient overflows, its step is computed again with half the scale', async () => {
    const followed = await trained(half, 'loud', 'auto', 1)
    const scale = followed.reports[0].lossScale ?? 0
    expect(scale).toBeLessThan(2 ** 14)
    const fixed = await trained(half, 'loud', scale, 1)
    expect(followed.reports[0].gradNorm).toBe(fixed.reports[0].gradNorm)
    expect(followed.snapshot.tensors).toEqual(fixed.snapshot.tensors)
    // The next step begins with half of what this one began with: one outlier does not spoil the steps after it.
    expect(followed.snapshot).toMatchObject({ optimizerSteps: 1, lossScale: { scale: 2 ** 15, steadySteps: 0 } })
    await expect(trained(half, 'loud', 2 * scale, 1)).rejects.toMatchObject({
      code: 'COLLIMATE_NOT_FINITE',
      hint: expect.stringContaining(`lossScale ${2 * scale}`) as string,
    })
  })

  test('a gradient that no scale makes finite is refused and changes nothing, the scale neither', async () => {
    const policy = await policyOf(half, smallModel(), { objectives })
    await policy.update(request('next-token'))
    const before = await policy.snapshot()
    await expect(policy.update(request('broken'))).rejects.toMatchObject({ code: 'COLLIMATE_NOT_FINITE' })
    expect(await policy.snapshot()).toEqual(before)
    await policy.close()
  })

  describe('snapshots', () => {
    let policy: Policy
    beforeAll(async () => void (policy = await policyOf(half, smallModel(), { objectives })))
    afterAll(() => policy.close())

    test('law: training goes on in the same bits, with the scale that it had', async () => {
      await policy.update(request('loud'))
      const snapshot = await policy.snapshot()
      const go = async (one: Policy) => [await one.update(request('loud')), await one.snapshot()]
      const on = await go(policy)
      const twin = await policyOf(half, smallModel(), { objectives })
      await twin.restore({ snapshot })
      expect(await go(twin)).toEqual(on)
      await twin.close()
    })

    test('a scale that is none is refused', async () => {
      const snapshot = await policy.snapshot()
      for (const lossScale of [
        { scale: 3, steadySteps: 0 },
        { scale: 2 ** 30, steadySteps: 0 },
        { scale: 8, steadySteps: -1 },
        { scale: 8, steadySteps: 2000 },
        { scale: '8' as unknown as number, steadySteps: 0 },
      ])
        await expect(policy.restore({ snapshot: { ...snapshot, lossScale } })).rejects.toMatchObject({
          code: 'COLLIMATE_SNAPSHOT_INVALID',
        })
      expect(await policy.snapshot()).toEqual(snapshot)
    })

    test('one of float32 begins with the first scale, and float32 has none', async () => {
      const plain = await policyOf(single, smallModel(), { objectives })
      await plain.update(request('next-token'))
      const { lossScale, ...withoutScale } = await policy.snapshot()
      expect(lossScale).toBeDefined()
      await plain.restore({ snapshot: await policy.snapshot() })
      expect(await plain.snapshot()).not.toHaveProperty('lossScale')
      await policy.restore({ snapshot: withoutScale })
      expect((await policy.snapshot()).lossScale).toEqual({ scale: 2 ** 16, steadySteps: 0 })
      expect((await policy.snapshot()).tensors).toEqual(withoutScale.tensors)
      await plain.close()
    })
  })
})
