import { requireDType, shapeError } from '../error.js'
import { rowLogSumExp } from '../kernels/rows.js'
import { allocate, around, permute } from '../kernels/strided.js'
import { axesOf, axisOf, reducedShape, sameShape, sizeOf } from '../shapes.js'
import { applier, lift, type Operand, type Tensor } from '../tensor.js'
import type { HostTensor, Shape, TensorData } from '../types.js'
import { add, div, mul, sub } from './arithmetic.js'
import { equal } from './compare.js'
import { cast, stopGradient } from './convert.js'
import { exp, log } from './elementwise.js'
import type { Rules } from './rule.js'
import { broadcastTo, reshape } from './shape.js'

// An alias, because an interface has no index signature.
type Axes = { readonly axes: readonly number[]; readonly keepDims: boolean }

/** Attributes of ops along axes. */
export interface ReduceAttributes {
  sum: Axes
  max: Axes
  argmax: { readonly axis: number }
  cumsum: { readonly axis: number; readonly reverse: boolean }
  sortDescending: { readonly k: number }
  logSumExp: { readonly axis: number }
}

/** The values with the reduced axes last, and how many of them make one result. */
function rowsOf(x: HostTensor, axes: readonly number[]): { data: TensorData; width: number } {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const width = sizeOf(axes.map((axis) => x.shape[axis]))
  const inOrder = axes.every((axis, i) => axis === kept.length + i)
  return { data: inOrder ? x.data : permute(x, [...kept, ...axes]), width }
}

export const reduce: Rules<ReduceAttributes> = {
  sum: {
    arity: 1,
    fused: false,
    infer: (inputs, { axes, keepDims }) => {
      requireDType('sum', inputs, 0, 'float', 'int')
      return { dtype: inputs[0].dtype, shape: reducedShape(inputs[0].shape, axes, keepDims) }
    },
    evaluate: ([x], { axes }, output) => {
      const { data, width } = rowsOf(x, axes)
      const out = allocate(output.dtype, sizeOf(output.shape))
      for (let row = 0, i = 0; row < out.length; row++) {
        let total = 0
        for (const end = i + width; i < end; i++) total += data[i]
        out[row] = total
      }
      return out
    },
    gradient: (g, [x], _, { axes }) => [broadcastTo(reshape(g, reducedShape(x.shape, axes, true)), x.shape)],
  },
  max: {
    arity: 1,
    fused: false,
    infer: (inputs, { axes, keepDims }) => {
      requireDType('max', inputs, 0, 'float', 'int')
      if (axes.some((axis) => inputs[0].shape[axis] === 0)) throw shapeError('max', inputs, 'nothing has no maximum')
      return { dtype: inputs[0].dtype, shape: reducedShape(inputs[0].shape, axes, keepDims) }
    },
    evaluate: ([x], { axes }, output) => {
      const { data, width } = rowsOf(x, axes)
      const out = allocate(output.dtype, sizeOf(output.shape))
      for (let row = 0, i = 0; row < out.length; row++) {
        let best = data[i]
        for (const end = i + width; i < end; i++) best = Math.max(best, data[i])
        out[row] = best
      }
      return out
    },
    // Equal maxima share the cotangent evenly.
    gradient: (g, [x], y, { axes }) => {
      const kept = reducedShape(x.shape, axes, true)
      const hit = cast(equal(x, reshape(y, kept)), 'float')
      return [mul(hit, div(reshape(g, kept), sum(hit, axes, true)))]
    },
  },
  argmax: {
    arity: 1,
    fused: false,
    noGradient: 'its value is an int',
    infer: (inputs, { axis }) => {
      requireDType('argmax', inputs, 0, 'float', 'int')
      if (inputs[0].shape[axis] === 0) throw shapeError('argmax', inputs, 'nothing has no maximum')
      return { dtype: 'int', shape: reducedShape(inputs[0].shape, [axis], false) }
    },
    evaluate: ([x], { axis }, output) => {
      const { data, width } = rowsOf(x, [axis])
      const out = new Int32Array(sizeOf(output.shape))
      for (let row = 0; row < out.length; row++) {
        let best = 0
        for (let i = 1; i < width; i++) if (data[row * width + i] > data[row * width + best]) best = i
        out[row] = best
      }
      return out
    },
  },
  cumsum: {
    arity: 1,
    fused: false,
    infer: (inputs) => {
      requireDType('cumsum', inputs, 0, 'float', 'int')
      return { dtype: inputs[0].dtype, shape: inputs[0].shape }
    },
    evaluate: ([x], { axis, reverse }) => {
      const { outer, length, inner } = around(x.shape, axis)
      const out = x.data.slice()
      for (let o = 0; o < outer; o++) {
        for (let k = 1; k < length; k++) {
          const to = (o * length + (reverse ? length - 1 - k : k)) * inner
          const from = reverse ? to + inner : to - inner
          for (let i = 0; i < inner; i++) out[to + i] += out[from + i]
        }
      }
      return out
    },
    gradient: (g, _, __, { axis, reverse }) => [cumsum(g, axis, { reverse: !reverse })],
  },
  sortDescending: {
    arity: 1,
    fused: false,
    noGradient: 'sorting is for thresholds',
    infer: (inputs, { k }) => {
      const [x] = inputs
      requireDType('sortDescending', inputs, 0, 'float')
      const width = x.shape[x.shape.length - 1]
      if (x.shape.length === 0 || !Number.isInteger(k) || k < 0 || k > width) {
        throw shapeError('sortDescending', inputs, `its last axis does not have ${k} values`)
      }
      return { dtype: 'float', shape: [...x.shape.slice(0, -1), k] }
    },
    evaluate: ([x], { k }, output) => {
      const width = x.shape[x.shape.length - 1]
      const out = new Float64Array(sizeOf(output.shape))
      for (let to = 0, from = 0; to < out.length; to += k, from += width) {
        const row = Float64Array.from(x.data.subarray(from, from + width)).sort()
        for (let i = 0; i < k; i++) out[to + i] = row[width - 1 - i]
      }
      return out
    },
  },
  logSumExp: {
    arity: 1,
    fused: true,
    infer: (inputs, { axis }) => {
      requireDType('logSumExp', inputs, 0, 'float')
      if (inputs[0].shape[axis] === 0) throw shapeError('logSumExp', inputs, 'there is nothing to sum')
      return { dtype: 'float', shape: reducedShape(inputs[0].shape, [axis], false) }
    },
    evaluate: ([x], { axis }, output) => {
      const { data, width } = rowsOf(x, [axis])
      const out = new Float64Array(sizeOf(output.shape))
      for (let row = 0; row < out.length; row++) out[row] = rowLogSumExp(data, row * width, width)
      return out
    },
    gradient: (g, [x], y, { axis }) => {
      const kept = reducedShape(x.shape, [axis], true)
      return [mul(reshape(g, kept), exp(sub(x, reshape(y, kept))))]
    },
    decompose: ([x], { axis }) => {
      const top = stopGradient(max(x, axis, true))
      return add(log(sum(exp(sub(x, top)), axis)), reshape(top, reducedShape(x.shape, [axis], false)))
    },
  },
}
const apply = applier<ReduceAttributes>(reduce)

/** Sum over `axes` (default: all). */
export function sum(x: Operand, axes?: number | readonly number[], keepDims = false): Tensor {
  const value = lift(x)
  return apply('sum', [value], { axes: axesOf('sum', axes, value.rank), keepDims })
}

/** Mean over `axes` (default: all): the sum, scaled. */
export function mean(x: Operand, axes?: number | readonly number[], keepDims = false): Tensor {
  const value = lift(x)
  const count = sizeOf(axesOf('mean', axes, value.rank).map((axis) => value.shape[axis]))
  if (count === 0) throw shapeError('mean', [value], 'nothing has no mean')
  return mul(sum(value, axes, keepDims), 1 / count)
}

/** Maximum over `axes` (default: all). */
export function max(x: Operand, axes?: number | readonly number[], keepDims = false): Tensor {
  const value = lift(x)
  return apply('max', [value], { axes: axesOf('max', axes, value.rank), keepDims })
}

/** Place of the maximum along an axis, the first one where several are equal; int, without that axis. */
export function argmax(x: Tensor, axis = -1): Tensor {
  return apply('argmax', [x], { axis: axisOf('argmax', axis, x.rank) })
}

/** Running sum along an axis, from the end where `reverse`. */
export function cumsum(x: Tensor, axis: number, options: { reverse?: boolean } = {}): Tensor {
  return apply('cumsum', [x], { axis: axisOf('cumsum', axis, x.rank), reverse: options.reverse ?? false })
}

/** The k largest values of the last axis, largest first. */
export function sortDescending(x: Tensor, k: number): Tensor {
  return apply('sortDescending', [x], { k })
}

/** log(sum(exp(x))) along an axis, which disappears; finite wherever x is. */
export function logSumExp(x: Tensor, axis = -1): Tensor {
  return apply('logSumExp', [x], { axis: axisOf('logSumExp', axis, x.rank) })
}

/** The sum over the axes along which a tensor of `shape` was broadcast: the transpose of broadcasting. */
export function sumTo(g: Tensor, to: Shape): Tensor {
  if (sameShape(g.shape, to)) return g
  const lead = g.rank - to.length
  const axes = g.shape.flatMap((size, axis) => (axis < lead || (to[axis - lead] === 1 && size !== 1) ? [axis] : []))
  return reshape(sum(g, axes), to)
}
