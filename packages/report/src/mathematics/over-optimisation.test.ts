import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitGain, gainAt, gainForms } from './over-optimisation.js'
import type { GainForm } from './over-optimisation.js'

const forms = Object.keys(gainForms) as GainForm[]
const coefficient = fc.double({ min: 0.1, max: 3, noNaN: true })
const distances = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 3, maxLength: 10 })

describe('a fit of the gain', () => {
  test.each(forms)('%s: finds the coefficients that made the points, and the peak', (form) => {
    fc.assert(
      fc.property(coefficient, coefficient, distances, (alpha, beta, tenths) => {
        const points = tenths.map((tenth) => ({
          distance: tenth / 10,
          gain: gainAt({ form, alpha, beta }, tenth / 10),
        }))
        const fit = fitGain([{ distance: 0, gain: 0 }, ...points], form)!
        expect(fit.alpha).toBeCloseTo(alpha, 5)
        expect(fit.beta).toBeCloseTo(beta, 5)
        expect(fit.residual).toBeCloseTo(0, 6)
        const [before, at, after] = [0.99, 1, 1.01].map((share) => gainAt(fit, share * fit.peak!))
        expect(at).toBeGreaterThanOrEqual(Math.max(before, after))
      }),
    )
  })

  test('needs three distances above 0', () => {
    const at = (distance: number) => ({ distance, gain: 1 })
    expect(fitGain([at(0), at(1), at(2)], 'rl')).toBeUndefined()
    expect(fitGain([at(1), at(1), at(1), at(2)], 'rl')).toBeUndefined()
    expect(fitGain([at(1), at(2), at(3)], 'rl')).toMatchObject({ points: 3 })
  })

  test('a gain that never falls has no peak', () => {
    const points = [1, 2, 3].map((distance) => ({ distance, gain: distance * (1 + 0.1 * Math.log(distance)) }))
    expect(fitGain(points, 'rl')).not.toHaveProperty('peak')
  })
})
