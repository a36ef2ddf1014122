import type { TensorData } from '@collimate/core'
import type { Sample, Tensor } from '@collimate/graph'
import fc, { type Arbitrary } from 'fast-check'

/** Where graph's samplers draw from: `first` decides shapes and shrinks to small ones, the rest comes from the seed. */
export interface Draws {
  readonly first: readonly number[]
  readonly seed: number
}

const SCALE = 2 ** 16

export const draws: Arbitrary<Draws> = fc.noBias(
  fc.record({
    first: fc.array(fc.nat(SCALE - 1), { minLength: 24, maxLength: 24 }),
    seed: fc.nat(2 ** 31 - 1),
  }),
)

/** Numbers in [0, 1). */
export function sourceOf({ first, seed }: Draws): () => number {
  const rest = seeded(seed)
  let next = 0
  return () => (next < first.length ? first[next++] / SCALE : rest())
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An expression with its shapes, attributes and values: `sum(a: float [2]; axes [0]) where a = [1, 2]`. */
export function shownSample({ tensor, values }: Sample): string {
  const given = Object.entries(values).map(([name, data]) => `${name} = ${shownData(data)}`)
  return `${shownTensor(tensor)} = ${shownType(tensor)}${given.length > 0 ? ` where ${given.join(', ')}` : ''}`
}

const shownType = ({ dtype, shape }: Tensor): string => `${dtype} [${shape.join(', ')}]`

function shownTensor(tensor: Tensor): string {
  const { op, inputs, attributes } = tensor
  if (op === 'input') return `${String(attributes.name)}: ${shownType(tensor)}`
  const fixed = Object.entries(attributes).map(([name, value]) => `${name} ${shownAttribute(value)}`)
  const operands = inputs.map(shownTensor).join(', ')
  return `${op}(${operands}${fixed.length > 0 ? `; ${fixed.join(', ')}` : ''})`
}

function shownAttribute(value: unknown): string {
  return ArrayBuffer.isView(value) ? shownData(value as TensorData) : JSON.stringify(value)
}

const MOST = 12

function shownData(data: TensorData): string {
  const numbers = Array.from(data.subarray(0, MOST), (value) => Number(value.toPrecision(6)))
  return `[${numbers.join(', ')}${data.length > MOST ? `, ... ${data.length} values` : ''}]`
}
