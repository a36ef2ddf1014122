import { requireDType, shapeError } from '../error.js'
import { allocate, expand, permute, readView, writeBlock } from '../kernels/strided.js'
import { axisOf, broadcastShapes, requireShape, sameShape, sizeOf, stridesOf } from '../shapes.js'
import { applier, lift, type Operand, type Tensor } from '../tensor.js'
import type { Shape } from '../types.js'
import { sumTo } from './reduce.js'
import type { Rules } from './rule.js'

/** Attributes of ops that move values without computing. */
export interface ShapeAttributes {
  reshape: { readonly shape: Shape }
  transpose: { readonly permutation: readonly number[] }
  broadcastTo: { readonly shape: Shape }
  slice: { readonly starts: readonly number[]; readonly ends: readonly number[] }
  concat: { readonly axis: number }
  pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }
}

export const shape: Rules<ShapeAttributes> = {
  reshape: {
    arity: 1,
    fused: false,
    infer: (inputs, { shape: to }) => {
      requireShape('reshape', to)
      if (sizeOf(inputs[0].shape) === sizeOf(to)) return { dtype: inputs[0].dtype, shape: to }
      throw shapeError('reshape', inputs, `its values do not fill [${to.join(',')}]`)
    },
    evaluate: ([x]) => x.data,
    gradient: (g, [x]) => [reshape(g, x.shape)],
  },
  transpose: {
    arity: 1,
    fused: false,
    infer: (inputs, { permutation }) => {
      const [x] = inputs
      const axes = new Set(permutation)
      if (permutation.length === x.shape.length && x.shape.every((_, axis) => axes.has(axis))) {
        return { dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]) }
      }
      throw shapeError('transpose', inputs, `[${permutation.join(',')}] is not a permutation of its axes`)
    },
    evaluate: ([x], { permutation }) => permute(x, permutation),
    gradient: (g, _, __, { permutation }) => [transpose(g, invert(permutation))],
  },
  broadcastTo: {
    arity: 1,
    fused: false,
    infer: (inputs, { shape: to }) => {
      requireShape('broadcastTo', to)
      const common = broadcastShapes(inputs[0].shape, to)
      if (common && sameShape(common, to)) return { dtype: inputs[0].dtype, shape: to }
      throw shapeError('broadcastTo', inputs, `it does not broadcast to [${to.join(',')}]`)
    },
    evaluate: ([x], { shape: to }) => expand(x, to),
    gradient: (g, [x]) => [sumTo(g, x.shape)],
  },
  slice: {
    arity: 1,
    fused: false,
    infer: (inputs, { starts, ends }) => {
      const [x] = inputs
      const fits =
        starts.length === x.shape.length &&
        ends.length === x.shape.length &&
        x.shape.every((size, i) => starts[i] >= 0 && starts[i] <= ends[i] && ends[i] <= size)
      if (!fits) throw shapeError('slice', inputs, `it has no part from [${starts.join(',')}] to [${ends.join(',')}]`)
      return { dtype: x.dtype, shape: ends.map((end, i) => end - starts[i]) }
    },
    evaluate: ([x], { starts }, output) => {
      const strides = stridesOf(x.shape)
      return readView(
        x.data,
        output.shape,
        strides,
        starts.reduce((sum, start, i) => sum + start * strides[i], 0),
      )
    },
    gradient: (g, [x], _, { starts, ends }) => [
      pad(
        g,
        starts,
        x.shape.map((size, i) => size - ends[i]),
      ),
    ],
  },
  concat: {
    arity: 'variadic',
    fused: false,
    infer: (inputs, { axis }) => {
      const [first] = inputs
      const sizes = first.shape.slice()
      sizes[axis] = 0
      inputs.forEach((x, i) => {
        requireDType('concat', inputs, i, first.dtype)
        const fits = x.shape.length === sizes.length && x.shape.every((size, d) => d === axis || size === sizes[d])
        if (!fits) throw shapeError('concat', inputs, `the shapes differ in more than axis ${axis}`)
        sizes[axis] += x.shape[axis]
      })
      return { dtype: first.dtype, shape: sizes }
    },
    evaluate: (inputs, { axis }, output) => {
      const out = allocate(output.dtype, sizeOf(output.shape))
      const starts = output.shape.map(() => 0)
      for (const x of inputs) {
        writeBlock(out, output.shape, x.data, x.shape, starts)
        starts[axis] += x.shape[axis]
      }
      return out
    },
    gradient: (g, inputs, _, { axis }) => {
      let end = 0
      return inputs.map((x) => {
        const start = end
        end += x.shape[axis]
        return slice(
          g,
          g.shape.map((__, i) => (i === axis ? start : 0)),
          g.shape.map((size, i) => (i === axis ? end : size)),
        )
      })
    },
  },
  pad: {
    arity: 1,
    fused: false,
    infer: (inputs, { before, after }) => {
      const [x] = inputs
      const whole = [...before, ...after].every((count) => Number.isInteger(count) && count >= 0)
      if (!whole || before.length !== x.shape.length || after.length !== x.shape.length) {
        throw shapeError('pad', inputs, `[${before.join(',')}] and [${after.join(',')}] are not one count per axis`)
      }
      return { dtype: x.dtype, shape: x.shape.map((size, i) => before[i] + size + after[i]) }
    },
    evaluate: ([x], { before, value }, output) => {
      const out = allocate(output.dtype, sizeOf(output.shape)).fill(value)
      writeBlock(out, output.shape, x.data, x.shape, before)
      return out
    },
    gradient: (g, [x], _, { before }) => [
      slice(
        g,
        before,
        before.map((count, i) => count + x.shape[i]),
      ),
    ],
  },
}
const apply = applier<ShapeAttributes>(shape)

function invert(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length)
  permutation.forEach((axis, i) => (inverse[axis] = i))
  return inverse
}

/** The same values in row-major order under another shape; one dimension may be -1. */
export function reshape(x: Operand, to: Shape): Tensor {
  const value = lift(x)
  const known = sizeOf(to.filter((size) => size !== -1))
  const rest = known === 0 ? 0 : value.size / known
  const full = to.indexOf(-1) === to.lastIndexOf(-1) ? to.map((size) => (size === -1 ? rest : size)) : to
  return sameShape(full, value.shape) ? value : apply('reshape', [value], { shape: [...full] })
}

/** Axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Operand, permutation: readonly number[]): Tensor {
  return apply('transpose', [lift(x)], { permutation: [...permutation] })
}

/** x repeated to a shape as in NumPy; x itself where it has that shape. */
export function broadcastTo(x: Operand, to: Shape): Tensor {
  const value = lift(x)
  return sameShape(value.shape, to) ? value : apply('broadcastTo', [value], { shape: [...to] })
}

/** The part from `starts` up to and without `ends`, one of each per axis. */
export function slice(x: Operand, starts: readonly number[], ends: readonly number[]): Tensor {
  return apply('slice', [lift(x)], { starts: [...starts], ends: [...ends] })
}

/** Tensors one after another along an axis. */
export function concat(xs: readonly Tensor[], axis: number): Tensor {
  if (xs.length === 0) throw shapeError('concat', xs, 'there is nothing to join')
  return apply('concat', [...xs], { axis: axisOf('concat', axis, xs[0].rank) })
}

/** x with `value` put before and after it, one count per axis. */
export function pad(x: Operand, before: readonly number[], after: readonly number[], value = 0): Tensor {
  return apply('pad', [lift(x)], { before: [...before], after: [...after], value })
}
