import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareScores } from './compare.js'

const scores = fc
  .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), { minLength: 2, maxLength: 12 })
  .map((rows) => ({ policy: rows.map(([score]) => score), reference: rows.map(([, score]) => score) }))

describe('laws of the comparison', () => {
  it('swapping the sides turns the win rate over and negates the difference', () => {
    fc.assert(
      fc.property(scores, ({ policy, reference }) => {
        const one = compareScores({ policy, reference }, 7)
        const other = compareScores({ policy: reference, reference: policy }, 7)
        expect(other.win_rate.value).toBeCloseTo(1 - one.win_rate.value, 12)
        expect(other.win_rate.low).toBeCloseTo(1 - (one.win_rate.high as number), 12)
        expect(other['reward/difference'].value).toBeCloseTo(-one['reward/difference'].value, 12)
        expect(other['reward/policy']).toEqual(one['reward/reference'])
      }),
      { numRuns: 15 },
    )
  })

  it('equal scores win half of the time, for certain', () => {
    fc.assert(
      fc.property(scores, ({ policy }) => {
        const { win_rate, 'reward/difference': difference } = compareScores({ policy, reference: policy }, 7)
        expect(win_rate).toEqual({ value: 0.5, low: 0.5, high: 0.5, count: policy.length })
        expect(difference).toMatchObject({ value: 0, low: 0, high: 0 })
      }),
      { numRuns: 15 },
    )
  })

  it('what both answers to a prompt have in common does not widen the difference', () => {
    fc.assert(
      fc.property(
        scores,
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 12, maxLength: 12 }),
        (pairs, easy) => {
          const shift = (values: readonly number[]) => values.map((value, i) => value + easy[i])
          const plain = compareScores(pairs, 7)
          const shifted = compareScores({ policy: shift(pairs.policy), reference: shift(pairs.reference) }, 7)
          expect(shifted['reward/difference']).toEqual(plain['reward/difference'])
          expect(shifted.win_rate).toEqual(plain.win_rate)
        },
      ),
      { numRuns: 15 },
    )
  })

  it('the means are the means, inside their intervals', () => {
    const { win_rate, ...rewards } = compareScores({ policy: [3, 1, 2, 2], reference: [1, 2, 2, 0] }, 7)
    expect(win_rate.value).toBe(0.625)
    expect(Object.values(rewards).map(({ value }) => value)).toEqual([2, 1.25, 0.75])
    for (const { value, low, high, count } of [win_rate, ...Object.values(rewards)]) {
      expect(low).toBeLessThan(value)
      expect(high).toBeGreaterThan(value)
      expect(count).toBe(4)
    }
  })
})
