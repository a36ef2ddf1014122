import fc from 'fast-check'
import { expect, it } from 'vitest'
import { softmax } from './reinforce.js'
import { logMeanExp, sigmoid } from './stable.js'

it('σ(x) = exp(x) / (1 + exp(x)) where neither over- nor underflows, and reaches 0 and 1 beyond', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
      const expected = Math.exp(x) / (1 + Math.exp(x))
      expect(Math.abs(sigmoid(x) - expected)).toBeLessThanOrEqual(1e-14 * expected)
    }),
  )
  expect([-1e4, -Infinity, 0, 1e4, Infinity].map(sigmoid)).toEqual([0, 0, 0.5, 1, 1])
  // Numbers below 1e-308 are there, if with fewer digits.
  expect(sigmoid(-720) / Math.exp(-720)).toBeCloseTo(1, 9)
})

it('the mean of nothing has the log −Infinity, and so has the mean of zeros', () => {
  expect(logMeanExp([])).toBe(-Infinity)
  expect(logMeanExp([-Infinity, -Infinity])).toBe(-Infinity)
  expect(logMeanExp([-Infinity, 0])).toBeCloseTo(-Math.LN2, 15)
})

it('softmax does not move with a constant, however large, and does not overflow', () => {
  const logits = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(logits, fc.constantFrom(0, 1e4, -1e4), (values, shift) => {
      const found = softmax(values.map((value) => value + shift))
      const most = Math.max(...values)
      const weights = values.map((value) => Math.exp(value - most))
      const total = weights.reduce((a, b) => a + b, 0)
      found.forEach((probability, i) => expect(probability).toBeCloseTo(weights[i] / total, 12))
    }),
  )
})
