import { fraction, meanInterval } from '@collimate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { poolMeasurements, poolSeeds } from './pool.js'

const table = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 })).chain(([seeds, prompts]) =>
  fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: prompts, maxLength: prompts }), {
    minLength: seeds,
    maxLength: seeds,
  }),
)

describe('seeds pooled', () => {
  test('one seed: Student over prompts; one prompt: Student over seeds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 9 }), (values) => {
        expect(poolSeeds([values])).toEqual(meanInterval(values))
        expect(poolSeeds(values.map((value) => [value])).value).toBeCloseTo(meanInterval(values).value, 3)
      }),
    )
  })

  test('the mean lies in its interval; order does not matter; a shift shifts', () => {
    fc.assert(
      fc.property(table, (values) => {
        const { value, low = value, high = value } = poolSeeds(values)
        expect(value).toBeCloseTo(values.flat().reduce((sum, one) => sum + one, 0) / values.flat().length, 9)
        expect(low).toBeLessThanOrEqual(value)
        expect(high).toBeGreaterThanOrEqual(value)
        const turned = poolSeeds([...values].reverse().map((row) => [...row].reverse()))
        expect(turned.low ?? value).toBeCloseTo(low, 9)
        const shifted = poolSeeds(values.map((row) => row.map((one) => one + 7)))
        expect(shifted.low ?? shifted.value).toBeCloseTo(low + 7, 9)
      }),
    )
  })

  test('covers the truth about 95 times of a hundred, where seeds, prompts and both differ', () => {
    const normal = (stream: number, index: number): number => {
      const [u, v] = [fraction(1, stream, 2 * index) || 1e-12, fraction(1, stream, 2 * index + 1)]
      return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v)
    }
    for (const [seeds, prompts, seedSize] of [
      [3, 40, 0.5],
      [5, 10, 0.2],
    ]) {
      let covered = 0
      const trials = 400
      for (let trial = 0; trial < trials; trial++) {
        let index = 0
        const draw = (): number => normal(trial, index++)
        const promptEffects = Array.from({ length: prompts }, draw)
        const values = Array.from({ length: seeds }, () => {
          const seedEffect = seedSize * draw()
          return promptEffects.map((effect) => effect + seedEffect + draw())
        })
        const { low, high } = poolSeeds(values)
        if (low! <= 0 && high! >= 0) covered++
      }
      expect(covered / trials).toBeGreaterThan(0.91)
    }
  })

  test('measurements: as wide as one of them at least where all agree, wider where they do not', () => {
    const one = { value: 1, low: 0.5, high: 1.5, count: 50 }
    expect(poolMeasurements([one])).toBe(one)
    const same = poolMeasurements([one, one, one])
    expect(same.low).toBeCloseTo(0.5, 2)
    const apart = poolMeasurements([one, { ...one, value: 3, low: 2.5, high: 3.5 }])
    expect(apart.value).toBe(2)
    expect(apart.low).toBeLessThan(0.5)
    expect(poolMeasurements([{ value: 1 }, { value: 1 }])).toEqual({ value: 1, low: 1, high: 1 })
  })
})
