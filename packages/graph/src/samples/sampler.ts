import { input } from '../ops/leaf.js'
import { sizeOf } from '../shapes.js'
import type { Tensor } from '../tensor.js'
import type { Shape, TensorData } from '../types.js'

/** An expression with a value for each of its inputs. */
export interface Sample {
  readonly tensor: Tensor
  readonly values: Readonly<Record<string, TensorData>>
}

/** Draws shapes, numbers and inputs; every input it makes gets a value. */
export interface Sampler {
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number
  choose<T>(options: readonly T[]): T
  shape(lowRank: number, highRank: number): number[]
  /** Numbers between `low` and `high`. */
  floats(shape: Shape, low?: number, high?: number): Tensor
  /** Numbers at least 0.1 away from 0 and from any other such number with a different `offset` (0 .. 0.3). */
  apart(shape: Shape, offset?: number): Tensor
  /** Different numbers in random order, at least 0.2 apart. */
  distinct(shape: Shape): Tensor
  /** Whole numbers from 0 up to and without `end`. */
  indices(shape: Shape, end: number): Tensor
  bools(shape: Shape): Tensor
  readonly values: Record<string, TensorData>
}

/** A sampler on a source of numbers in [0, 1). */
export function makeSampler(random: () => number): Sampler {
  const values: Record<string, TensorData> = {}
  const integer = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  const named = (shape: Shape, data: TensorData, dtype: Tensor['dtype']): Tensor => {
    const name = 'abcdefgh'[Object.keys(values).length]
    values[name] = data
    return input(name, shape, dtype)
  }
  const fill = (shape: Shape, next: () => number): Float64Array => Float64Array.from({ length: sizeOf(shape) }, next)
  return {
    values,
    integer,
    choose: (options) => options[integer(0, options.length - 1)],
    shape: (lowRank, highRank) => Array.from({ length: integer(lowRank, highRank) }, () => integer(1, 4)),
    floats: (shape, low = -2, high = 2) =>
      named(
        shape,
        fill(shape, () => low + random() * (high - low)),
        'float',
      ),
    apart: (shape, offset = 0) =>
      named(
        shape,
        fill(shape, () => 0.4 * integer(-5, 4) + 0.1 + offset),
        'float',
      ),
    distinct: (shape) => {
      const order = Array.from({ length: sizeOf(shape) }, (_, i) => ({ i, key: random() })).sort(
        (p, q) => p.key - q.key,
      )
      return named(
        shape,
        Float64Array.from(order, ({ i }) => 0.2 * i - 1),
        'float',
      )
    },
    indices: (shape, end) => named(shape, Int32Array.from(fill(shape, () => integer(0, end - 1))), 'int'),
    bools: (shape) => named(shape, Uint8Array.from(fill(shape, () => integer(0, 1))), 'bool'),
  }
}

/** Two shapes that broadcast: some axes of 1, some missing in front. */
export function broadcastable(draw: Sampler): [Shape, Shape] {
  const full = draw.shape(0, 3)
  const part = () => full.slice(draw.integer(0, full.length)).map((size) => (draw.integer(0, 3) === 0 ? 1 : size))
  return draw.integer(0, 1) === 0 ? [full, part()] : [part(), full]
}
