import { GraphError } from '../error.js'
import { sameShape, sizeOf, stridesOf } from '../shapes.js'
import type { DType, HostTensor, Shape, TensorData } from '../types.js'

/** Zeros of a dtype in the interpreter's precision. */
export function allocate(dtype: DType, size: number): Float64Array | Int32Array | Uint8Array {
  if (dtype === 'float') return new Float64Array(size)
  return dtype === 'int' ? new Int32Array(size) : new Uint8Array(size)
}

/** Zeros of the same kind of array. */
export function allocateLike(data: TensorData, size: number): TensorData {
  if (data instanceof Float64Array) return new Float64Array(size)
  if (data instanceof Float32Array) return new Float32Array(size)
  return data instanceof Int32Array ? new Int32Array(size) : new Uint8Array(size)
}

/** Calls `row(offset)` with the element offset of each row of the last axis, in row-major order. */
function eachRow(shape: Shape, strides: readonly number[], offset: number, row: (offset: number) => void): void {
  const outer = shape.length - 1
  const index = new Array<number>(Math.max(outer, 0)).fill(0)
  for (let left = sizeOf(shape.slice(0, -1)); left > 0; left--) {
    row(offset)
    for (let axis = outer - 1; axis >= 0; axis--) {
      offset += strides[axis]
      if (++index[axis] < shape[axis]) break
      offset -= index[axis] * strides[axis]
      index[axis] = 0
    }
  }
}

/** Reads a view: `shape` and `strides` describe the result's walk over `data` from `offset`. */
export function readView(data: TensorData, shape: Shape, strides: readonly number[], offset = 0): TensorData {
  const result = allocateLike(data, sizeOf(shape))
  if (shape.length === 0) {
    result[0] = data[offset]
    return result
  }
  const width = shape[shape.length - 1]
  const step = strides[shape.length - 1]
  let position = 0
  eachRow(shape, strides, offset, (start) => {
    for (let i = 0, from = start; i < width; i++, from += step) result[position++] = data[from]
  })
  return result
}

/** Writes `block` into `target` so that its first element lands at `starts`. */
export function writeBlock(
  target: TensorData,
  targetShape: Shape,
  block: TensorData,
  shape: Shape,
  starts: Shape,
): void {
  const strides = stridesOf(targetShape)
  const offset = starts.reduce((sum, start, axis) => sum + start * strides[axis], 0)
  if (shape.length === 0) {
    target[offset] = block[0]
    return
  }
  const width = shape[shape.length - 1]
  let position = 0
  eachRow(shape, strides, offset, (start) => {
    for (let i = 0; i < width; i++) target[start + i] = block[position++]
  })
}

/** The values broadcast to `shape`; the tensor's own array where nothing is to do. */
export function expand({ data, shape: from }: HostTensor, shape: Shape): TensorData {
  if (sameShape(from, shape)) return data
  const own = stridesOf(from)
  const lead = shape.length - from.length
  const strides = shape.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : own[i - lead]))
  return readView(data, shape, strides)
}

/** The values with axes permuted: axis i of the result is axis `permutation[i]` of the operand. */
export function permute({ data, shape }: HostTensor, permutation: readonly number[]): TensorData {
  const strides = stridesOf(shape)
  return readView(
    data,
    permutation.map((axis) => shape[axis]),
    permutation.map((axis) => strides[axis]),
  )
}

/** Sizes before, at and after an axis: the array as [outer, length, inner]. */
export function around(shape: Shape, axis: number): { outer: number; length: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), length: shape[axis], inner: sizeOf(shape.slice(axis + 1)) }
}

/** Refuses an index outside 0 .. length - 1. */
export function requireIndex(op: string, index: number, length: number): void {
  if (index >= 0 && index < length) return
  throw new GraphError(
    'COLLIMATE_GRAPH_INDEX',
    `${op}: index ${index} is outside 0 .. ${length - 1}`,
    'ignored positions need a valid index too; mask their result instead',
  )
}
