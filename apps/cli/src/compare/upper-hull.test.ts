import fc from 'fast-check'
import { expect, test } from 'vitest'
import { upperHull } from './upper-hull.js'

const point = fc.record({ kl: fc.integer({ min: 0, max: 20 }), reward: fc.integer({ min: -9, max: 9 }) })

test('no point lies over the hull, and it rises', () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 12 }), (points) => {
      const hull = upperHull(points)
      expect(hull.length).toBeGreaterThan(0)
      for (const [at, corner] of hull.entries()) {
        expect(points).toContain(corner)
        const next = hull[at + 1]
        if (!next) continue
        expect(next.reward).toBeGreaterThan(corner.reward)
        expect(next.kl).toBeGreaterThanOrEqual(corner.kl)
        for (const { kl, reward } of points)
          if (kl >= corner.kl && kl <= next.kl)
            expect((reward - corner.reward) * (next.kl - corner.kl)).toBeLessThanOrEqual(
              (next.reward - corner.reward) * (kl - corner.kl) + (next.kl === corner.kl ? Infinity : 0),
            )
      }
      expect(Math.max(...hull.map(({ reward }) => reward))).toBe(Math.max(...points.map(({ reward }) => reward)))
    }),
  )
})
