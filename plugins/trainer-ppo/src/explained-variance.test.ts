import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { explainedVariance } from './explained-variance.js'

const row = fc.array(fc.record({ value: fc.double({ min: -9, max: 9, noNaN: true }), real: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
})
const rows = fc.array(row, { minLength: 1, maxLength: 4 })
type Rows = readonly (readonly { readonly value: number; readonly real: boolean }[])[]
const masksOf = (batch: Rows) => batch.map((tokens) => Uint8Array.from(tokens, ({ real }) => Number(real)))
const valuesOf = (batch: Rows, of = (value: number) => value) =>
  batch.map((tokens) => Float64Array.from(tokens, ({ value }) => of(value)))

test('what a hand calculates: 1 − (8/3) / (14/3)', () => {
  const found = explainedVariance(
    [Float64Array.of(1, 2, 99), Float64Array.of(6)],
    [Float64Array.of(1, 4, -99), Float64Array.of(4)],
    [Uint8Array.of(1, 1, 0), Uint8Array.of(1)],
  )
  expect(found).toBeCloseTo(1 - 8 / 3 / (14 / 3), 12)
})

test.prop([rows, fc.double({ min: -5, max: 5, noNaN: true })])(
  'a critic that is off by a constant foresees all, a constant one nothing; what is masked changes nothing',
  (batch, shift) => {
    const returns = valuesOf(batch)
    const masks = masksOf(batch)
    const real = batch.flat().filter((token) => token.real)
    const spread = Math.max(...real.map(({ value }) => value)) - Math.min(...real.map(({ value }) => value))
    if (!(spread > 1e-3)) return
    expect(
      explainedVariance(
        returns,
        valuesOf(batch, (value) => value + shift),
        masks,
      ),
    ).toBeCloseTo(1, 6)
    expect(
      explainedVariance(
        returns,
        valuesOf(batch, () => shift),
        masks,
      ),
    ).toBeCloseTo(0, 6)
    const garbled = batch.map((tokens) => Float64Array.from(tokens, ({ value, real }) => (real ? value : 1e9)))
    const critic = valuesOf(batch, (value) => Math.sin(value))
    expect(explainedVariance(garbled, critic, masks)).toBe(explainedVariance(returns, critic, masks))
  },
)

test('there is none where all returns are equal, or no token counts', () => {
  expect(explainedVariance([Float64Array.of(2, 2)], [Float64Array.of(1, 3)], [Uint8Array.of(1, 1)])).toBeUndefined()
  expect(explainedVariance([Float64Array.of(1, 2)], [Float64Array.of(1, 2)], [Uint8Array.of(0, 0)])).toBeUndefined()
  expect(explainedVariance([], [], [])).toBeUndefined()
})
