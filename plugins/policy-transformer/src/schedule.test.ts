import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { roundUp, scheduleDecoding } from './schedule.js'

const prompts = fc.array(
  fc.record({ length: fc.integer({ min: 1, max: 300 }), allowance: fc.integer({ min: 1, max: 99 }) }),
  {
    maxLength: 70,
  },
)

describe('scheduleDecoding', () => {
  test('puts every prompt into one row of one batch that holds it', () => {
    fc.assert(
      fc.property(prompts, fc.integer({ min: 1, max: 20 }), (given, batchSize) => {
        const batches = scheduleDecoding(
          given.map(({ length }) => length),
          given.map(({ allowance }) => allowance),
          batchSize,
        )
        expect(batches.flatMap((batch) => batch.prompts).sort((a, b) => a - b)).toEqual(given.map((_, index) => index))
        for (const batch of batches) {
          expect(batch.prompts.length).toBeLessThanOrEqual(batch.rows)
          expect(batch.rows).toBeLessThanOrEqual(batchSize)
          for (const index of batch.prompts) {
            expect(given[index].length).toBeLessThanOrEqual(batch.width)
            expect(given[index].allowance).toBeLessThanOrEqual(batch.steps)
          }
          expect(batch.width + batch.steps - 1).toBeLessThanOrEqual(batch.capacity)
        }
      }),
    )
  })

  test('compiles few shapes', () => {
    const sizes = new Set(Array.from({ length: 1024 }, (_, index) => roundUp(index + 1)))
    expect(sizes.size).toBeLessThanOrEqual(24)
    for (let size = 1; size <= 1024; size++) {
      expect(roundUp(size)).toBeGreaterThanOrEqual(size)
      expect(roundUp(size)).toBeLessThanOrEqual(Math.max(size + 7, size * 1.25))
    }
  })
})
