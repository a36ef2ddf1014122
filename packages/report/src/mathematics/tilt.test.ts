import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tilt, tiltedMean } from './tilt.js'

const reward = fc.double({ min: -50, max: 50, noNaN: true })
const rewards = fc.array(reward, { minLength: 1, maxLength: 20 })
const beta = fc.double({ min: 0.01, max: 100, noNaN: true })

describe('a tilted distribution', () => {
  test('is one: weights add up to 1, the KL is between 0 and log n, effective samples between 1 and n', () => {
    fc.assert(
      fc.property(rewards, beta, (values, b) => {
        const { weights, kl, effectiveSamples } = tilt(values, b)
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9)
        expect(kl).toBeGreaterThanOrEqual(0)
        expect(kl).toBeLessThanOrEqual(Math.log(values.length) + 1e-9)
        expect(effectiveSamples).toBeGreaterThan(1 - 1e-9)
        expect(effectiveSamples).toBeLessThan(values.length + 1e-9)
      }),
    )
  })

  test('KL = E r/β − log Z, as it is derived', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 9 }), (values) => {
        const tilted = tilt(values, 1.5)
        expect(tilted.kl).toBeCloseTo(tiltedMean(tilted, values) / 1.5 - tilted.logZ, 9)
      }),
    )
  })

  test('a summand that all rewards share changes neither weights nor KL, whatever its size', () => {
    fc.assert(
      fc.property(rewards, beta, fc.constantFrom(-1e6, 3, 1e6), (values, b, shift) => {
        const [one, other] = [
          tilt(values, b),
          tilt(
            values.map((value) => value + shift),
            b,
          ),
        ]
        one.weights.forEach((weight, at) => expect(other.weights[at]).toBeCloseTo(weight, 6))
        expect(other.kl).toBeCloseTo(one.kl, 5)
      }),
    )
  })

  test('a completion that is listed with its probability is as good as so many samples', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(reward, fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 6 }),
        (cells) => {
          const total = cells.reduce((sum, [, copies]) => sum + copies, 0)
          const sampled = tilt(
            cells.flatMap(([value, copies]) => new Array<number>(copies).fill(value)),
            2,
          )
          const listed = tilt(
            cells.map(([value]) => value),
            2,
            cells.map(([, copies]) => Math.log(copies / total)),
          )
          expect(listed.kl).toBeCloseTo(sampled.kl, 9)
          expect(listed.logZ).toBeCloseTo(sampled.logZ, 9)
        },
      ),
    )
  })

  test('far apart rewards and a small β give the best completion all weight, and no NaN', () => {
    const { weights, kl, effectiveSamples } = tilt([-1e4, 0, 1e4], 0.01)
    expect([...weights]).toEqual([0, 0, 1])
    expect(kl).toBeCloseTo(Math.log(3), 6)
    expect(effectiveSamples).toBe(1)
  })
})
