import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.js'

const finite = fc.float({ noNaN: true, noDefaultInfinity: true })

describe('16-bit floats', () => {
  test('reads known binary16 values', () => {
    const known = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x8000, -0],
    ]
    expect([...fromFloat16(Uint16Array.from(known, ([bits]) => bits))]).toEqual(known.map(([, value]) => value))
  })

  test('reads known bfloat16 values', () => {
    const known = [
      [0x3f80, 1],
      [0xc000, -2],
      [0x3eab, 0.333984375],
      [0x7f80, Infinity],
      [0x0001, 2 ** -133],
    ]
    expect([...fromBfloat16(Uint16Array.from(known, ([bits]) => bits))]).toEqual(known.map(([, value]) => value))
  })

  test('rounds to nearest, ties to even', () => {
    const tie = 1 + 2 ** -11
    expect([
      ...fromFloat16(toFloat16(Float32Array.of(tie, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25))),
    ]).toEqual([1, 1 + 2 ** -9, 65504, Infinity, 0, 2 ** -23])
    expect([...fromBfloat16(toBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8)))]).toEqual([1, 1 + 2 ** -6])
  })

  for (const [name, widen, narrow] of [
    ['binary16', fromFloat16, toFloat16],
    ['bfloat16', fromBfloat16, toBfloat16],
  ] as const) {
    test(`${name}: narrowing undoes widening, NaN stays NaN`, () => {
      const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits)
      const values = widen(all)
      const back = narrow(values)
      const again = widen(back)
      const wrong = all.filter((bits, i) => (Number.isNaN(values[i]) ? !Number.isNaN(again[i]) : back[i] !== bits))
      expect([...wrong]).toEqual([])
    })

    test(`${name}: rounding picks the nearer neighbour`, () => {
      fc.assert(
        fc.property(finite, (value) => {
          const bits = narrow(Float32Array.of(value))[0]
          const [below, nearest, above] = widen(Uint16Array.of(bits - 1, bits, bits + 1))
          fc.pre(Number.isFinite(nearest) && (bits & 0x7fff) !== 0)
          const error = Math.abs(value - nearest)
          for (const other of [below, above])
            if (Number.isFinite(other)) expect(error <= Math.abs(value - other)).toBe(true)
        }),
      )
    })
  }
})
