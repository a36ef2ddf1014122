import { opNames } from '@collimate/graph'
import { expect, test } from 'vitest'
import { errorsOfOps, relativeError } from './op-errors.js'
import { createMemoryBackend } from './testing/memory-backend.js'

test('the float64 interpreter behind a backend is without error, in every op', async () => {
  const errors = await errorsOfOps(createMemoryBackend(), { cases: 3 })
  expect(errors.map(({ op }) => op)).toEqual(opNames)
  expect(errors.every(({ value, derivative = 0 }) => value === 0 && derivative === 0)).toBe(true)
  expect(errors.find(({ op }) => op === 'equal')).not.toHaveProperty('derivative')
})

test('errors are relative to the largest magnitude of a tensor, and to 1 below that', () => {
  const of = (actual: number[] | undefined, expected: number[]) =>
    relativeError(actual && Float32Array.from(actual), { data: Float64Array.from(expected) })
  expect(of([1, 101], [0, 100])).toBe(0.01)
  expect(of([0.25], [0])).toBe(0.25)
  expect(of([Infinity, NaN, 1], [Infinity, NaN, 1])).toBe(0)
  expect(of([NaN], [1])).toBe(Infinity)
  expect(of([1], [Infinity])).toBe(Infinity)
  expect(of([1], [1, 2])).toBe(Infinity)
  expect(of(undefined, [1])).toBe(Infinity)
})
