import { expect, test } from 'vitest'
import { measured } from './index.js'

test('a mean with its interval', () => {
  expect(measured([3])).toEqual({ value: 3, low: 3, high: 3, count: 1 })
  const { value, low, high, count } = measured([2, 4])
  expect([value, count]).toEqual([3, 2])
  expect(high - value).toBeCloseTo(1.96)
  expect(value - low).toBeCloseTo(1.96)
})
