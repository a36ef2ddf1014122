import { expect, test } from 'vitest'
import { movedMean } from './moved-mean.js'

test('begins with the mean of the first step', () => {
  expect(movedMean(undefined, [1, 2, 6], 0.9)).toEqual({ meanReward: 3 })
})

test('moves by the share that does not decay', () => {
  expect(movedMean(10, [1, 3], 0.75).meanReward).toBeCloseTo(0.75 * 10 + 0.25 * 2, 12)
})

test('stays where nothing was learnt from, also when there was none', () => {
  expect(movedMean(10, [], 0.9)).toEqual({ meanReward: 10 })
  expect(movedMean(undefined, [], 0.9)).toEqual({})
})
