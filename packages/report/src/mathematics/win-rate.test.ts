import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gain, winRate, winRateMatrix } from './win-rate.js'

const scores = (seeds: number) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 }), { minLength: 1, maxLength: seeds })

describe('gains', () => {
  test('of the one and of the other are opposite, ends of intervals too', () => {
    fc.assert(
      fc.property(scores(3), scores(3), (one, other) => {
        const [ours, theirs] = [gain(one, other), gain(other, one)]
        expect(ours.value).toBeCloseTo(-theirs.value, 12)
        expect(ours.low!).toBeCloseTo(-theirs.high!, 9)
      }),
    )
  })

  test('are paired by prompt: what is common to both models does not widen the interval', () => {
    const hard = [0, 100, -50, 25]
    const found = gain([hard.map((score, prompt) => score + 1 + prompt / 10)], [hard])
    const { low, high } = gain([[1, 1.1, 1.2, 1.3]], [[0, 0, 0, 0]])
    expect(found.value).toBeCloseTo(1.15, 12)
    expect([found.low, found.high]).toEqual([expect.closeTo(low!, 9), expect.closeTo(high!, 9)])
  })
})

describe('win rates', () => {
  test('of the one and of the other add up to 1, ends of intervals too', () => {
    fc.assert(
      fc.property(scores(3), scores(3), (one, other) => {
        const [ours, theirs] = [winRate(one, other), winRate(other, one)]
        expect(ours.value + theirs.value).toBeCloseTo(1, 12)
        expect(ours.low! + theirs.high!).toBeCloseTo(1, 9)
        expect(ours.low!).toBeGreaterThanOrEqual(0)
        expect(ours.high!).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('equal answers win half of the time', () => {
    fc.assert(fc.property(scores(3), (one) => void expect(winRate(one, one).value).toBe(0.5)))
  })

  test('what never loses is not certain to never lose', () => {
    const { value, low, high } = winRate([[1, 1, 1, 1]], [[0, 0, 0, 0]])
    expect([value, high]).toEqual([1, 1])
    expect(low).toBeLessThan(0.6)
  })

  test('of several seeds that all win, neither', () => {
    const seeds = [
      [1, 1, 1, 1],
      [2, 2, 2, 2],
    ]
    const { value, low } = winRate(seeds, [[0, 0, 0, 0]])
    expect(value).toBe(1)
    expect(low).toBeLessThan(0.6)
  })

  test('a matrix has every pair, and nobody against itself', () => {
    const matrix = winRateMatrix([[[1, 2]], [[2, 1]], [[0, 0]]])
    expect(matrix.map((row) => row.map((cell) => cell?.value ?? null))).toEqual([
      [null, 0.5, 1],
      [0.5, null, 1],
      [0, 0, null],
    ])
  })
})
