import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { normal, uniform } from './random.js'
import { bootstrapInterval, meanInterval, proportionInterval, studentQuantile } from './statistics.js'

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true })

describe('mean', () => {
  test('a worked example', () => {
    const { value, low, high, count } = meanInterval([1, 2, 3, 4, 5])
    expect([value, count]).toEqual([3, 5])
    expect(low).toBeCloseTo(1.036757, 6)
    expect(high).toBeCloseTo(4.963243, 6)
  })

  test("Student's quantiles fall to the normal one, without a jump at the table's end", () => {
    for (let n = 1; n < 200; n++) expect(studentQuantile(n + 1)).toBeLessThan(studentQuantile(n))
    expect(studentQuantile(60)).toBeCloseTo(2.0002978, 6)
    for (let n = 1; n < 60; n += 0.25) expect(studentQuantile(n + 0.25)).toBeLessThan(studentQuantile(n))
    for (let n = 2; n < 60; n++) expect(studentQuantile(n - 1e-12)).toBeCloseTo(studentQuantile(n), 5)
    expect(studentQuantile(1e9)).toBeCloseTo(1.959964, 6)
  })

  test('law: between the quantiles lie 95 % of the density of Student', () => {
    // Γ((n + 1)/2) / Γ(n/2), two degrees at a time.
    const gammaRatio = (n: number): number =>
      n === 1 ? 1 / Math.sqrt(Math.PI) : n === 2 ? Math.sqrt(Math.PI) / 2 : (gammaRatio(n - 2) * (n - 1)) / (n - 2)
    for (const n of [...Array.from({ length: 40 }, (_, i) => i + 1), 60, 100, 200]) {
      const density = (t: number) => (gammaRatio(n) / Math.sqrt(n * Math.PI)) * (1 + t ** 2 / n) ** (-(n + 1) / 2)
      const quantile = studentQuantile(n)
      // Simpson's rule on [0, quantile].
      const panels = 2000
      const weighted = Array.from(
        { length: panels + 1 },
        (_, i) => (i % panels === 0 ? 1 : i % 2 === 1 ? 4 : 2) * density((i / panels) * quantile),
      )
      const inside = (2 * quantile * weighted.reduce((sum, value) => sum + value, 0)) / (3 * panels)
      // Beyond the table the first omitted term is 1.6 / n⁴.
      const missed = (0.95 - inside) / (2 * density(quantile))
      expect(Math.abs(missed), `${n} degrees of freedom`).toBeLessThan(n <= 30 ? 1e-9 : 2.2 / n ** 4)
    }
  })

  test('law: the interval moves and scales with its values', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 2, maxLength: 50 }), finite, (values, shift) => {
        const before = meanInterval(values)
        const after = meanInterval(values.map((value) => 2 * value + shift))
        for (const side of ['value', 'low', 'high'] as const)
          expect(Math.abs((after[side] ?? 0) - (2 * (before[side] ?? 0) + shift))).toBeLessThan(1e-6 * 1e3)
      }),
    )
  })

  test('no value and one value have no interval', () => {
    expect(meanInterval([])).toEqual({ value: 0, count: 0 })
    expect(meanInterval([2])).toEqual({ value: 2, count: 1 })
  })

  test('covers the true mean in about 95 % of samples', () => {
    const trials = 2000
    let covered = 0
    for (let t = 0; t < trials; t++) {
      const { low = 0, high = 0 } = meanInterval(Array.from({ length: 6 }, (_, i) => normal(11, t, i)))
      if (low <= 0 && high >= 0) covered++
    }
    expect(covered / trials).toBeGreaterThan(0.93)
    expect(covered / trials).toBeLessThan(0.97)
  })
})

describe('proportion', () => {
  test('the ends are where the score test is on the edge: |share − end| = z √(end (1 − end) / n)', () => {
    const { value, low = 0, high = 0 } = proportionInterval(15, 50)
    expect(value).toBe(0.3)
    for (const end of [low, high])
      expect(Math.abs(value - end)).toBeCloseTo(1.959963984540054 * Math.sqrt((end * (1 - end)) / 50), 12)
    expect(low).toBeCloseTo(0.191, 4)
    expect(high).toBeCloseTo(0.4375, 4)
  })

  test('law: the interval holds its value within [0, 1], and mirrors with success and failure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.nat(2000), (count, some) => {
        const successes = Math.min(some, count)
        const { value, low = -1, high = 2 } = proportionInterval(successes, count)
        expect(0 <= low && low <= value && value <= high && high <= 1).toBe(true)
        expect(proportionInterval(count - successes, count).high).toBeCloseTo(1 - low, 12)
      }),
    )
  })

  test('nothing tried says nothing', () => {
    expect(proportionInterval(0, 0)).toEqual({ value: 0, low: 0, high: 1, count: 0 })
  })
})

describe('bootstrap', () => {
  const values = Array.from({ length: 80 }, (_, i) => uniform(5, 0, i))
  const mean = (indices: Int32Array) => indices.reduce((sum, i) => sum + values[i], 0) / indices.length

  test('agrees with the interval of the mean and repeats with its seed', () => {
    const one = bootstrapInterval(values.length, mean, { seed: 1 })
    const analytic = meanInterval(values)
    expect(one.value).toBeCloseTo(analytic.value, 12)
    const width = (analytic.high ?? 0) - (analytic.low ?? 0)
    expect(Math.abs((one.low ?? 0) - (analytic.low ?? 0))).toBeLessThan(0.1 * width)
    expect(Math.abs((one.high ?? 0) - (analytic.high ?? 0))).toBeLessThan(0.1 * width)
    expect(bootstrapInterval(values.length, mean, { seed: 1 })).toEqual(one)
    expect(bootstrapInterval(values.length, mean, { seed: 2 })).not.toEqual(one)
  })

  test.each([7, 40, 41])(
    'its ends are the percentiles of %i resamples, in a straight line between two',
    (resamples) => {
      // The k-th resample has the statistic k, the sample itself 0.
      let calls = 0
      const { value, low, high } = bootstrapInterval(5, () => calls++, { seed: 1, resamples })
      expect(calls).toBe(resamples + 1)
      expect(value).toBe(0)
      expect(low).toBeCloseTo(1 + 0.025 * (resamples - 1), 12)
      expect(high).toBeCloseTo(1 + 0.975 * (resamples - 1), 12)
    },
  )

  test('two values have an interval, one has none', () => {
    expect(bootstrapInterval(2, mean, { seed: 1 })).toMatchObject({ low: expect.any(Number), high: expect.any(Number) })
    expect(bootstrapInterval(1, mean, { seed: 1 })).toEqual({ value: values[0], count: 1 })
  })
})
