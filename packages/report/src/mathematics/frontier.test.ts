import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bestOfN } from './best-of-n.js'
import { fewestEffectiveSamples, frontier, frontierBetas } from './frontier.js'
import type { PromptCompletions } from './frontier.js'

const numbers = (length: number) =>
  fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: length, maxLength: length })
/** One to three prompts with 30 samples each, and two rewards. */
const prompts: fc.Arbitrary<PromptCompletions[]> = fc.array(
  fc.record({ rewards: fc.record({ proxy: numbers(30), gold: numbers(30) }) }),
  { minLength: 1, maxLength: 3 },
)
const betas = frontierBetas(2, 15)

describe('the frontier', () => {
  test('begins at the reference: KL 0 and the mean rewards', () => {
    fc.assert(
      fc.property(prompts, (given) => {
        const [start] = frontier(given, 'proxy', betas)
        expect(start).toMatchObject({ beta: null, kl: { value: 0 }, effectiveSamples: expect.closeTo(30, 9) as number })
        const means = given.map(({ rewards }) => Array.from(rewards.gold).reduce((sum, r) => sum + r, 0) / 30)
        expect(start.rewards.gold.value).toBeCloseTo(means.reduce((sum, r) => sum + r, 0) / means.length, 9)
      }),
    )
  })

  test('rises: with β falling, KL and the reward that is optimised never fall, and the slope is between the βs', () => {
    fc.assert(
      fc.property(prompts, (given) => {
        const points = frontier(given, 'proxy', betas)
        points.slice(1).forEach((point, at) => {
          const before = points[at]
          const kl = point.kl.value - before.kl.value
          const gain = point.rewards.proxy.value - before.rewards.proxy.value
          expect(kl).toBeGreaterThanOrEqual(-1e-9)
          expect(gain).toBeGreaterThanOrEqual(-1e-9)
          // dE/dKL = β: a chord's slope lies between the βs of its ends.
          expect(gain).toBeGreaterThanOrEqual(point.beta! * kl - 1e-9)
          if (before.beta !== null) expect(gain).toBeLessThanOrEqual(before.beta * kl + 1e-9)
        })
      }),
    )
  })

  test('is above best-of-n, which is a policy too', () => {
    fc.assert(
      fc.property(prompts, fc.integer({ min: 1, max: 3 }), (given, n) => {
        const points = frontier(given, 'proxy', frontierBetas(2, 200))
        const { kl, rewards } = bestOfN(given, 'proxy', n)
        const above = points.find((point) => point.kl.value >= kl)
        // Of the samples as a distribution, drawn without replacement, log n − (n − 1)/n is the KL up to 1/N.
        if (above) expect(above.rewards.proxy.value).toBeGreaterThanOrEqual(rewards.proxy.value - 0.3)
      }),
    )
  })

  test('is cut where too few samples carry it', () => {
    fc.assert(
      fc.property(prompts, (given) => {
        for (const { effectiveSamples } of frontier(given, 'proxy', betas))
          expect(effectiveSamples).toBeGreaterThanOrEqual(fewestEffectiveSamples)
      }),
    )
  })

  test('equal rewards: it is a point', () => {
    expect(frontierBetas(0)).toEqual([])
    const flat = [{ rewards: { proxy: [1, 1, 1] } }]
    for (const { kl, rewards } of frontier(flat, 'proxy', [1, 0.1]))
      expect([kl.value, rewards.proxy.value]).toEqual([0, 1])
  })
})
