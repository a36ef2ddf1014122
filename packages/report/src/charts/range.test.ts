import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rangeOf, rounded } from './range.js'

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

test('an axis covers what is drawn and what it is told to, in whole steps between given ends where that goes', () => {
  const chart = (x: object) => ({
    ...{ description: '', x: { name: '', ...x }, y: { name: '' } },
    marks: [
      { marks: [{ x: 1, y: 1, left: 0.6, right: 1.2 }], colour: 'var(--ink)', shape: 'circle', size: 1 } as const,
    ],
  })
  expect(rangeOf(chart({}), 'x', 4)).toEqual({ min: 0.6, max: 1.2, step: 0.2 })
  expect(rangeOf(chart({ covers: [-1, 7] }), 'x', 4)).toEqual({ min: -2, max: 8, step: 2 })
  expect(rangeOf(chart({ min: 0.5, max: 1 }), 'x', 4).step).toBeCloseTo(0.1, 12)
  expect(rangeOf(chart({ min: 0, max: 57 }), 'x', 4)).toEqual({ min: 0, max: 57, step: 20 })
})
