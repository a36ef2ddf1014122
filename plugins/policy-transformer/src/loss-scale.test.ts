import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLossScale, isLossScaleState, lossScaling } from './loss-scale.js'

const inHalf = lossScaling('auto', { precision: 'float16' })

test('law: whatever happens, a scale that follows the gradients is a power of two from 1 to 2^24', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ steps: fc.nat(6000), halvings: fc.nat(30) }), { maxLength: 60 }), (times) => {
      let present = inHalf.initial
      for (const { steps, halvings } of times) {
        for (let step = 0; step < steps; step++) present = inHalf.next(present, present.scale)
        let used = present.scale
        for (let i = 0; i < halvings; i++) used = inHalf.smaller(used) ?? used
        present = inHalf.next(present, used)
        expect(isLossScale(used) && isLossScaleState(present)).toBe(true)
      }
    }),
    { numRuns: 50 },
  )
})

test('law: one step costs the next at most half of the scale, however much it overflows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(24), (power, halvings) => {
      const present = { scale: 2 ** power, steadySteps: 7 }
      const used = Math.max(1, 2 ** (power - halvings))
      expect(inHalf.next(present, used).scale).toBe(halvings === 0 ? 2 ** power : 2 ** (power - 1))
    }),
  )
})

test('it halves down to 1, and doubles after 2,000 steps without an overflow, up to 2^24', () => {
  let present = inHalf.initial
  expect(present).toEqual({ scale: 2 ** 16, steadySteps: 0 })
  for (let power = 15; power >= 0; power--) {
    expect(inHalf.smaller(present.scale)).toBe(2 ** power)
    present = inHalf.next(present, 2 ** power)
    expect(present).toEqual({ scale: 2 ** power, steadySteps: 0 })
  }
  expect(inHalf.smaller(1)).toBeUndefined()
  const step = () => (present = inHalf.next(present, present.scale))
  for (let power = 0; power <= 24; power++) {
    for (let i = 0; i < 1999; i++) step()
    expect(present.scale).toBe(2 ** power)
    step()
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
    expect(scaling.next(scaling.initial, scaling.initial.scale)).toEqual(scaling.initial)
    expect(scaling.smaller(scaling.initial.scale)).toBeUndefined()
  }
  expect(lossScaling('auto', { precision: 'float32' }).initial.scale).toBe(1)
  expect(lossScaling(1024, { precision: 'float32' }).initial.scale).toBe(1024)
})

test('only powers of two change no digit', () => {
  expect([1, 2, 2 ** 16, 2 ** 24].every(isLossScale)).toBe(true)
  expect([0, -2, 0.5, 3, 65536.00000000001, 2 ** 25, NaN, Infinity].some(isLossScale)).toBe(false)
})
