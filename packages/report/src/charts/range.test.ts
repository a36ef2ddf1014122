import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rounded } from './range.js'

test('a range of round numbers holds its values, with a handful of ticks', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(value, value, (a, b) => {
      const { min, max, step } = rounded(Math.min(a, b), Math.max(a, b))
      const slack = 1e-8 * step
      expect(min).toBeLessThanOrEqual(Math.min(a, b) + slack)
      expect(max).toBeGreaterThanOrEqual(Math.max(a, b) - slack)
      const ticks = (max - min) / step
      expect(ticks).toBeGreaterThan(0.99)
      expect(ticks).toBeLessThan(8.01)
    }),
  )
  expect(rounded(0.12, 0.88)).toEqual({ min: 0, max: 1, step: 0.2 })
})
