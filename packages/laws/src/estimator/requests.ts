import type { EstimatorReply, EstimatorRequest } from '@collimate/core'
import fc, { type Arbitrary } from 'fast-check'
import { grid, logProb } from '../objective/example.js'
import { near, require } from '../law.js'

export interface RequestLimits {
  /** Rows come in groups of this many neighbours; default 1. */
  readonly groupSize?: number
  /** Most groups; default 3. */
  readonly groups?: number
  /** Masks of any form, holes and empty rows included; else each row begins with one or more real tokens. */
  readonly anyMask?: boolean
}

/** Random requests with a critic's values, a reference's log-probs, and with or without a mean of earlier rewards. */
export function requests({ groupSize = 1, groups = 3, anyMask = false }: RequestLimits): Arbitrary<EstimatorRequest> {
  return fc
    .record({ count: fc.integer({ min: 1, max: groups }), width: fc.integer({ min: 1, max: 4 }) })
    .chain(({ count, width }) => {
      const rows = count * groupSize
      const size = rows * width
      const numbers = (of: Arbitrary<number>) =>
        fc.array(of, { minLength: size, maxLength: size }).map((list) => Float64Array.from(list))
      const lengths = fc.array(fc.integer({ min: 1, max: width }), { minLength: rows, maxLength: rows })
      const prefixes = lengths.map((list) =>
        Uint8Array.from({ length: size }, (_, slot) => Number(slot % width < list[Math.floor(slot / width)])),
      )
      const holes = fc
        .array(fc.constantFrom(1, 0), { minLength: size, maxLength: size })
        .map((bits) => Uint8Array.from(bits))
      return fc.record(
        {
          rows: fc.constant(rows),
          width: fc.constant(width),
          rewards: numbers(grid(-4, 4)),
          values: numbers(grid(-4, 4)),
          logProbs: numbers(logProb),
          refLogProbs: numbers(logProb),
          mask: anyMask ? fc.oneof(prefixes, holes) : prefixes,
          groupSize: fc.constant(groupSize),
          meanReward: grid(-4, 4),
        },
        {
          requiredKeys: ['rows', 'width', 'rewards', 'values', 'logProbs', 'refLogProbs', 'mask', 'groupSize'],
        },
      )
    })
}

/** A request row by row, masked slots as dots. */
export function showRequest(request: EstimatorRequest): string {
  const { rows, width, mask, groupSize = 1, meanReward, finalValues, ...arrays } = request
  const row = (values: Float64Array, at: number) =>
    Array.from({ length: width }, (_, column) => at * width + column)
      .map((slot) => (mask[slot] === 0 ? '·' : String(values[slot])))
      .join(' ')
  const final = (at: number) => (finalValues ? ` final value ${finalValues[at]}` : '')
  const shown = Array.from({ length: rows }, (_, at) => {
    const named = Object.entries(arrays).map(([name, values]) => `${name} [${row(values, at)}]`)
    return named.join(' ') + final(at)
  }).join(' | ')
  return `${shown}; groups of ${groupSize}${meanReward === undefined ? '' : `, earlier mean ${meanReward}`}`
}

/** A copy of everything, which an estimator may spoil. */
export const copyOf = (request: EstimatorRequest): EstimatorRequest => ({
  ...request,
  rewards: request.rewards.slice(),
  logProbs: request.logProbs.slice(),
  mask: request.mask.slice(),
  ...(request.values ? { values: request.values.slice() } : {}),
  ...(request.refLogProbs ? { refLogProbs: request.refLogProbs.slice() } : {}),
})

/** The request with every array changed slot by slot; `mask` too where `ofMask` is given. */
export const changed = (
  request: EstimatorRequest,
  of: (values: Float64Array) => Float64Array,
  ofMask: (mask: Uint8Array) => Uint8Array = (mask) => mask,
): EstimatorRequest => ({
  ...request,
  rewards: of(request.rewards),
  logProbs: of(request.logProbs),
  mask: ofMask(request.mask),
  ...(request.values ? { values: of(request.values) } : {}),
  ...(request.refLogProbs ? { refLogProbs: of(request.refLogProbs) } : {}),
})

/** Throws unless advantages and returns of the real slots agree; `slotOf` says where a slot went. */
export function sameReply(
  request: Pick<EstimatorRequest, 'mask'>,
  found: EstimatorReply,
  expected: EstimatorReply,
  tolerance: number,
  slotOf: (slot: number) => number = (slot) => slot,
): void {
  for (const name of ['advantages', 'returns'] as const) {
    request.mask.forEach((bit, slot) => {
      if (bit !== 0) near(found[name][slotOf(slot)], expected[name][slot], tolerance, `${name} of slot ${slot}`)
    })
  }
}

/** Throws unless both arrays have a number for each slot: finite, and 0 where the mask is 0. */
export function wellFormed({ rows, width, mask }: EstimatorRequest, reply: EstimatorReply): void {
  for (const name of ['advantages', 'returns'] as const) {
    const values = reply[name]
    require(values instanceof Float64Array, `${name} are no Float64Array`)
    require(values.length === rows * width, `${name} have ${values.length} numbers, not ${rows * width}`)
    values.forEach((value, slot) => {
      require(Number.isFinite(value), `${name} of slot ${slot} is ${value}`)
      require(mask[slot] !== 0 || value === 0, `${name} of masked slot ${slot} is ${value}`)
    })
  }
}
