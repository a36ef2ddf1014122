import { constant, evaluate, gradients, input, sum } from '@collimate/graph'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { divergenceNames, score } from './divergences.js'

/** f′ of each divergence at t = exp h, Wang et al., arXiv 2309.16240, table 1, less its value at t = 1. */
const byDefinition = {
  reverse_kl: (t: number) => Math.log(t),
  forward_kl: (t: number) => 1 - 1 / t,
  js_divergence: (t: number) => Math.log((2 * t) / (1 + t)),
  alpha_divergence: (t: number, alpha: number) => (t ** (alpha - 1) - 1) / (alpha - 1),
} as const

describe.each(divergenceNames)('the score under %s', (name) => {
  it('is f′ at the ratio of the probabilities, and 0 where they are equal', () => {
    const h = fc.double({ min: -5, max: 5, noNaN: true })
    fc.assert(
      fc.property(h, fc.constantFrom(0.3, 0.5, 2), (logRatio, alpha) => {
        const found = evaluate(score(name, constant(logRatio), alpha), {}).data[0]
        const expected = byDefinition[name](Math.exp(logRatio), alpha)
        expect(Math.abs(found - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)))
      }),
    )
    expect(evaluate(score(name, constant(0), 0.5), {}).data[0]).toBeCloseTo(0, 15)
  })

  it('rises with the ratio, finite however far the policy is from its reference', () => {
    const h = input('h', [4])
    const value = score(name, h, 0.5)
    const [slope] = gradients(sum(value), [h])
    const { data } = evaluate(slope, { h: [-70, -1, 0, 1] })
    for (const one of data) expect(one).toBeGreaterThan(0)
    for (const far of [-1e4, 1e4])
      expect(evaluate(value, { h: [far, far, far, far] }).data[0]).toSatisfy(Number.isFinite)
  })
})

it('alpha 1 is the limit: reverse KL', () => {
  for (const alpha of [1, 1 + 1e-9]) expect(evaluate(score('alpha_divergence', constant(3), alpha), {}).data[0]).toBe(3)
  expect(evaluate(score('alpha_divergence', constant(3), 1 + 1e-5), {}).data[0]).toBeCloseTo(3, 3)
})
