import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bestOfN, chances } from './best-of-n.js'

const scores = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 7 })

/** All subsets of n of the indices. */
function subsets(total: number, n: number): number[][] {
  const from = (start: number, left: number): number[][] =>
    left === 0
      ? [[]]
      : Array.from({ length: total - start }, (_, k) => start + k).flatMap((at) =>
          from(at + 1, left - 1).map((rest) => [at, ...rest]),
        )
  return from(0, n)
}

describe('best of n', () => {
  test('is the mean over all subsets of n, ties shared', () => {
    fc.assert(
      fc.property(scores, fc.nat(6), (values, k) => {
        const n = 1 + (k % values.length)
        const all = subsets(values.length, n)
        const expected = new Float64Array(values.length)
        for (const subset of all) {
          const best = Math.max(...subset.map((at) => values[at]))
          const ties = subset.filter((at) => values[at] === best)
          for (const at of ties) expected[at] += 1 / ties.length / all.length
        }
        chances(values, n).forEach((chance, at) => expect(chance).toBeCloseTo(expected[at], 9))
      }),
    )
  })

  test('best of 1 is the reference, at KL 0; more is better by what chooses', () => {
    fc.assert(
      fc.property(fc.array(scores, { minLength: 1, maxLength: 3 }), (rows) => {
        const prompts = rows.map((proxy) => ({ rewards: { proxy, gold: proxy.map((value) => -value) } }))
        const most = Math.min(...rows.map(({ length }) => length))
        let before = -Infinity
        for (let n = 1; n <= most; n++) {
          const { kl, rewards } = bestOfN(prompts, 'proxy', n)
          if (n === 1) expect(kl).toBe(0)
          expect(rewards.proxy.value).toBeGreaterThanOrEqual(before - 1e-9)
          expect(rewards.gold.value).toBeCloseTo(-rewards.proxy.value, 9)
          before = rewards.proxy.value
        }
      }),
    )
  })
})
