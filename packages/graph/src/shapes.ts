import { GraphError } from './error.js'
import type { Shape } from './types.js'

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (const dimension of shape) size *= dimension
  return size
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i])
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]
  }
  return strides
}

/** The common shape under NumPy broadcasting, or undefined where there is none. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1
    const right = b[b.length - rank + i] ?? 1
    if (left !== right && left !== 1 && right !== 1) return undefined
    shape[i] = left === 1 ? right : left
  }
  return shape
}

/** Refuses anything but whole, non-negative dimensions. */
export function requireShape(op: string, shape: Shape): void {
  if (shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) return
  throw new GraphError('COLLIMATE_GRAPH_SHAPE', `${op}: [${shape.join(',')}] is not a shape of whole numbers`)
}

/** An axis counted from the front; negative axes count from the back. */
export function axisOf(op: string, axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis
  if (Number.isInteger(axis) && result >= 0 && result < rank) return result
  throw new GraphError('COLLIMATE_GRAPH_AXIS', `${op}: there is no axis ${axis} in a tensor of rank ${rank}`)
}

/** Distinct axes in increasing order; all of them where none are given. */
export function axesOf(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i)
  const list = typeof axes === 'number' ? [axes] : axes
  return [...new Set(list.map((axis) => axisOf(op, axis, rank)))].sort((a, b) => a - b)
}

/** The shape after a reduction over `axes`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  if (keepDims) return shape.map((dimension, i) => (axes.includes(i) ? 1 : dimension))
  return shape.filter((_, i) => !axes.includes(i))
}
