import { constant, evaluate } from '@collimate/graph'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { matchByRank } from './match-by-rank.js'

const matched = (x: readonly number[], y: readonly number[], real = x.map(() => true)): number[] => [
  ...evaluate(matchByRank(constant(x), constant(y), constant(real.map(Number), [real.length], 'bool')), {}).data,
]

it('is sorting both and putting x back in its places', () => {
  const value = fc.integer({ min: -3, max: 3 })
  const pairs = fc.array(fc.record({ x: value, y: value, real: fc.boolean() }), { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(pairs, (all) => {
      const places = all.flatMap(({ real }, i) => (real ? [i] : []))
      // Array.prototype.sort is stable: ties go by position.
      const byX = places.toSorted((i, j) => all[i].x - all[j].x)
      const byY = places.toSorted((i, j) => all[i].y - all[j].y)
      const expected = all.map((_, i) => (places.includes(i) ? all[byY[byX.indexOf(i)]].y : 0))
      const column = (name: 'x' | 'y') => all.map((one) => one[name])
      const real = all.map((one) => one.real)
      expect(matched(column('x'), column('y'), real)).toEqual(expected)
    }),
  )
})

it('gives ties by position', () => {
  expect(matched([1, 1, 1], [5, 3, 4])).toEqual([3, 4, 5])
})

it('leaves alone what is not real, whatever it holds', () => {
  expect(matched([2, 1, 0, NaN], [10, 20, 99, NaN], [true, true, false, false])).toEqual([20, 10, 0, 0])
})
