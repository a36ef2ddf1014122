import fc, { type Arbitrary } from 'fast-check'
import { grid } from '../objective/example.js'
import type { TokenRewards } from './gae.js'

/** Rewards and values of a batch of rollouts; masks of any form, holes and empty rows included. */
export interface TokenCase extends TokenRewards {
  readonly values: Float64Array
}

export function tokenCases(options: { prefix?: boolean } = {}): Arbitrary<TokenCase> {
  return fc
    .record({ rows: fc.integer({ min: 1, max: 3 }), width: fc.integer({ min: 1, max: 5 }) })
    .chain(({ rows, width }) => {
      const size = rows * width
      const numbers = fc.array(grid(-4, 4), { minLength: size, maxLength: size }).map((list) => Float64Array.from(list))
      const holes = fc
        .array(fc.constantFrom(1, 0), { minLength: size, maxLength: size })
        .map((bits) => Uint8Array.from(bits))
      const prefixes = fc
        .array(fc.integer({ min: 1, max: width }), { minLength: rows, maxLength: rows })
        .map((lengths) =>
          Uint8Array.from({ length: size }, (_, slot) => Number(slot % width < lengths[Math.floor(slot / width)])),
        )
      return fc.record({
        rows: fc.constant(rows),
        width: fc.constant(width),
        rewards: numbers,
        values: numbers,
        mask: options.prefix === true ? prefixes : fc.oneof(prefixes, holes),
      })
    })
}

export const junk = fc.constantFrom(NaN, Infinity, -Infinity, 1e30, -7)

/** The array with something else in every masked slot. */
export const poisoned = (values: Float64Array, mask: Uint8Array, by: number): Float64Array =>
  values.map((value, slot) => (mask[slot] === 0 ? by : value))

/** Slots of the real tokens of a row, in order. */
export const slotsOf = ({ width, mask }: Pick<TokenRewards, 'width' | 'mask'>, row: number): number[] =>
  Array.from({ length: width }, (_, column) => row * width + column).filter((slot) => mask[slot] !== 0)

export const gammas = fc.constantFrom(1, 0.99, 0.9, 0.5, 0)
export const lambdas = fc.constantFrom(0.95, 1, 0, 0.5)
