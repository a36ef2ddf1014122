import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { fraction, normal, permutation, philox4x32, stream, uniform } from './random.js'

describe('Philox4x32-10', () => {
  // kat_vectors of Random123 1.14 (Salmon et al.).
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0]
  test.each([
    [new Array<number>(6).fill(0), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [new Array<number>(6).fill(0xffffffff), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [pi, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]],
  ])('known answer %#', (input, expected) => {
    const out = new Uint32Array(4)
    const [c0, c1, c2, c3, k0, k1] = input
    philox4x32(out, c0, c1, c2, c3, k0, k1)
    expect([...out]).toEqual(expected)
  })
})

const word = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

test('law: a uniform lies in [0, 1) and is a float32', () => {
  fc.assert(
    fc.property(word, word, word, (seed, which, index) => {
      const value = uniform(seed, which, index)
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThan(1)
      expect(Math.fround(value)).toBe(value)
      expect(uniform(seed, which, index)).toBe(value)
    }),
  )
})

test('law: seed, stream and index each matter, their high words too', () => {
  fc.assert(
    fc.property(word, word, word, fc.constantFrom(1, 2 ** 32), (seed, which, index, step) => {
      const other = (value: number) => (value >= step ? value - step : value + step)
      const value = fraction(seed, which, index)
      expect(fraction(other(seed), which, index)).not.toBe(value)
      expect(fraction(seed, other(which), index)).not.toBe(value)
      expect(fraction(seed, which, other(index))).not.toBe(value)
    }),
  )
})

test('moments of uniforms and normals', () => {
  const n = 200_000
  const sums = { u: 0, uu: 0, z: 0, zz: 0, zzzz: 0, uz: 0 }
  for (let i = 0; i < n; i++) {
    const u = uniform(7, 3, i) - 0.5
    const z = normal(7, 3, i)
    sums.u += u
    sums.uu += u * u
    sums.z += z
    sums.zz += z * z
    sums.zzzz += z ** 4
    sums.uz += u * z
  }
  // Five standard errors of each estimate.
  const close = (sum: number, expected: number, deviation: number) =>
    expect(Math.abs(sum / n - expected)).toBeLessThan((5 * deviation) / Math.sqrt(n))
  close(sums.u, 0, Math.sqrt(1 / 12))
  close(sums.uu, 1 / 12, Math.sqrt(1 / 180))
  close(sums.z, 0, 1)
  close(sums.zz, 1, Math.sqrt(2))
  close(sums.zzzz, 3, Math.sqrt(96))
  close(sums.uz, 0, Math.sqrt(1 / 12))
})

test('law: a permutation has every number once and depends on its stream', () => {
  fc.assert(
    fc.property(word, fc.nat(300), (seed, n) => {
      const order = permutation(seed, stream('order', 1), n)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
      expect(permutation(seed, stream('order', 1), n)).toEqual(order)
      if (n > 20) expect(permutation(seed, stream('order', 2), n)).not.toEqual(order)
    }),
  )
})

test('every order of three is about equally frequent', () => {
  const counts = new Map<string, number>()
  const n = 6000
  for (let i = 0; i < n; i++) {
    const key = permutation(1, stream('order', i), 3).join('')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  expect(counts.size).toBe(6)
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - n / 6) ** 2 / (n / 6), 0)
  expect(chiSquare).toBeLessThan(25) // 5 degrees of freedom, p = 1e-4
})
