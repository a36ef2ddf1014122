import { requireDType, shapeError } from '../error.js'
import { allocate, around, requireIndex } from '../kernels/strided.js'
import { axisOf, sizeOf } from '../shapes.js'
import { applier, type Operand, lift, type Tensor } from '../tensor.js'
import type { Shape, Typed } from '../types.js'
import { fill } from './leaf.js'
import type { Rules } from './rule.js'
import { broadcastTo, reshape } from './shape.js'

/** Attributes of ops that read or write at computed places. */
export interface IndexingAttributes {
  gather: { readonly axis: number }
  takeAlong: { readonly axis: number }
  scatterAdd: { readonly axis: number }
}

/** Refuses indices that do not have the shape of x apart from the axis. */
function requireAligned(op: string, inputs: readonly Typed[], axis: number): void {
  const [x, indices] = inputs
  requireDType(op, inputs, 1, 'int')
  const aligned =
    x.shape.length === indices.shape.length && x.shape.every((size, d) => d === axis || size === indices.shape[d])
  if (!aligned) throw shapeError(op, inputs, `the indices must have the shape of operand 0 except along axis ${axis}`)
}

export const indexing: Rules<IndexingAttributes> = {
  gather: {
    arity: 2,
    fused: false,
    infer: (inputs, { axis }) => {
      const [table, indices] = inputs
      requireDType('gather', inputs, 1, 'int')
      return {
        dtype: table.dtype,
        shape: [...table.shape.slice(0, axis), ...indices.shape, ...table.shape.slice(axis + 1)],
      }
    },
    evaluate: ([table, indices], { axis }, output) => {
      const { outer, length, inner } = around(table.shape, axis)
      const out = allocate(output.dtype, sizeOf(output.shape))
      let position = 0
      for (let o = 0; o < outer; o++) {
        for (const index of indices.data) {
          requireIndex('gather', index, length)
          const start = (o * length + index) * inner
          for (let i = 0; i < inner; i++) out[position++] = table.data[start + i]
        }
      }
      return out
    },
    gradient: (g, [table, indices], _, { axis }) => [gatherTransposed(g, table.shape, indices, axis), undefined],
  },
  takeAlong: {
    arity: 2,
    fused: false,
    infer: (inputs, { axis }) => {
      requireAligned('takeAlong', inputs, axis)
      return { dtype: inputs[0].dtype, shape: inputs[1].shape }
    },
    evaluate: ([x, indices], { axis }, output) => {
      const { outer, length, inner } = around(x.shape, axis)
      const count = indices.shape[axis]
      const out = allocate(output.dtype, indices.data.length)
      for (let o = 0, position = 0; o < outer; o++) {
        for (let k = 0; k < count; k++) {
          for (let i = 0; i < inner; i++, position++) {
            const index = indices.data[position]
            requireIndex('takeAlong', index, length)
            out[position] = x.data[(o * length + index) * inner + i]
          }
        }
      }
      return out
    },
    gradient: (g, [x, indices], _, { axis }) => [scatterAdd(fill(0, x.shape), indices, g, axis), undefined],
  },
  scatterAdd: {
    arity: 3,
    fused: false,
    infer: (inputs, { axis }) => {
      const [x, indices, updates] = inputs
      requireDType('scatterAdd', inputs, 0, 'float', 'int')
      requireDType('scatterAdd', inputs, 2, x.dtype)
      requireAligned('scatterAdd', inputs, axis)
      if (indices.shape.length !== updates.shape.length || indices.shape.some((size, d) => size !== updates.shape[d])) {
        throw shapeError('scatterAdd', inputs, 'indices and updates must have one shape')
      }
      return { dtype: x.dtype, shape: x.shape }
    },
    evaluate: ([x, indices, updates], { axis }) => {
      const { outer, length, inner } = around(x.shape, axis)
      const count = indices.shape[axis]
      const out = x.data.slice()
      for (let o = 0, position = 0; o < outer; o++) {
        for (let k = 0; k < count; k++) {
          for (let i = 0; i < inner; i++, position++) {
            const index = indices.data[position]
            requireIndex('scatterAdd', index, length)
            out[(o * length + index) * inner + i] += updates.data[position]
          }
        }
      }
      return out
    },
    gradient: (g, [, indices], _, { axis }) => [g, undefined, takeAlong(g, indices, axis)],
  },
}
const apply = applier<IndexingAttributes>(indexing)

/** The cotangent of a table [..., K, ...] from that of gathered rows: rows with equal index add up. */
export function gatherTransposed(g: Tensor, table: Shape, indices: Tensor, axis: number): Tensor {
  const rows = [...table.slice(0, axis), indices.size, ...table.slice(axis + 1)]
  const column = rows.map((size, d) => (d === axis ? size : 1))
  return scatterAdd(fill(0, table), broadcastTo(reshape(indices, column), rows), reshape(g, rows), axis)
}

/** Rows of `table` along `axis`, as numpy.take: the axis is replaced by the shape of the int indices. */
export function gather(table: Tensor, indices: Operand, axis = 0): Tensor {
  return apply('gather', [table, lift(indices, 'int', 'gather')], { axis: axisOf('gather', axis, table.rank) })
}

/** One element of x per index along `axis`, as numpy.take_along_axis. */
export function takeAlong(x: Tensor, indices: Tensor, axis: number): Tensor {
  return apply('takeAlong', [x, indices], { axis: axisOf('takeAlong', axis, x.rank) })
}

/** x with `updates` added at `indices` along `axis`; updates for one place add up. */
export function scatterAdd(x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  return apply('scatterAdd', [x, indices, updates], { axis: axisOf('scatterAdd', axis, x.rank) })
}
