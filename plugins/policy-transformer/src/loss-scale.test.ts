import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLossScale, lossScaling } from './loss-scale.js'

const inHalf = lossScaling('auto', { precision: 'float16' })

test('law: whatever happens, a scale that follows the gradients is a power of two from 1 to 2^24', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(6000), { maxLength: 60 }), (steadySteps) => {
      let present = inHalf.initial
      for (const steps of steadySteps) {
        for (let step = 0; step < steps; step++) present = inHalf.afterStep(present)
        present = inHalf.afterOverflow(present) ?? present
        expect(isLossScale(present.scale)).toBe(true)
        expect(present.steadySteps).toBeLessThan(2000)
      }
    }),
    { numRuns: 50 },
  )
})

test('it halves at each overflow, down to 1, and doubles after 2,000 steps without one, up to 2^24', () => {
  let present = inHalf.initial
  expect(present).toEqual({ scale: 2 ** 16, steadySteps: 0 })
  for (let power = 15; power >= 0; power--) {
    const smaller = inHalf.afterOverflow(inHalf.afterStep(present))
    expect(smaller).toEqual({ scale: 2 ** power, steadySteps: 0 })
    present = smaller ?? present
  }
  expect(inHalf.afterOverflow(present)).toBeUndefined()
  for (let power = 0; power <= 24; power++) {
    for (let step = 0; step < 1999; step++) present = inHalf.afterStep(present)
    expect(present.scale).toBe(2 ** power)
    present = inHalf.afterStep(present)
  }
  expect(present).toEqual({ scale: 2 ** 24, steadySteps: 0 })
})

test('in other precisions it is 1, and a number that is asked for stays', () => {
  for (const scaling of [
    lossScaling('auto', { precision: 'float32' }),
    lossScaling('auto', { precision: 'float64' }),
    lossScaling(1024, { precision: 'float16' }),
  ]) {
    expect(scaling.dynamic).toBe(false)
    expect(scaling.afterStep(scaling.initial)).toEqual(scaling.initial)
    expect(scaling.afterOverflow(scaling.initial)).toBeUndefined()
  }
  expect(lossScaling('auto', { precision: 'float32' }).initial.scale).toBe(1)
  expect(lossScaling(1024, { precision: 'float32' }).initial.scale).toBe(1024)
})

test('only powers of two change no digit', () => {
  expect([1, 2, 2 ** 16, 2 ** 24].every(isLossScale)).toBe(true)
  expect([0, -2, 0.5, 3, 2 ** 25, NaN, Infinity].some(isLossScale)).toBe(false)
})
