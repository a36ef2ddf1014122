import { type OpAttributes, sizeOf } from '@collimate/graph'
import type { KernelBuilder, Value } from '../kernel-builder.js'
import { type Lowerings, only } from './lowering.js'

type Names = 'sum' | 'max' | 'argmax' | 'cumsum' | 'sortDescending' | 'logSumExp'

/** x with the reduced axes last, as [rows, width], and the sizes of the other axes. */
function rowsOf(kernels: KernelBuilder, x: Value, axes: readonly number[]): { rows: Value; kept: number[] } {
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const kept = others.map((axis) => x.shape[axis] as number)
  const moved = kernels.transpose(x, [...others, ...axes])
  const width = sizeOf(axes.map((axis) => x.shape[axis] as number))
  return { rows: kernels.reshape(moved, [sizeOf(kept), width]), kept }
}

/** WASM adds one number after the other in float32: longer sums than this are made of sums of at most `part`. */
const longest = 256
const part = 64

/** Sums of the rows of a matrix. */
export function sumRows(kernels: KernelBuilder, rows: Value): Value {
  const [count, width] = rows.shape as [number, number]
  const type = { dtype: rows.dtype, shape: [count] }
  if (kernels.provider === 'wasm' && rows.dtype === 'float' && width > longest) {
    const size = divisor(width)
    if (size > 1) {
      const parts = sumRows(kernels, kernels.reshape(rows, [(count * width) / size, size]))
      return sumRows(kernels, kernels.reshape(parts, [count, width / size]))
    }
  }
  return kernels.emit('Sum', { x: rows }, { axis: [1], keepDims: false }, type)
}

/** The largest divisor of n that is at most `part`. */
function divisor(n: number): number {
  for (let size = part; size > 1; size--) if (n % size === 0) return size
  return 1
}

/** Along axes. */
export const reduce: Lowerings<Pick<OpAttributes, Names>> = {
  sum: (kernels, inputs, { axes, keepDims }, output) => {
    const x = only(inputs)
    const reduced = axes.filter((axis) => x.shape[axis] !== 1)
    if (reduced.length === 0) return kernels.reshape(x, output.shape)
    if (sizeOf(x.shape) === 0) return kernels.fill(0, output.dtype, output.shape)
    if (kernels.provider === 'node') return kernels.emit('Sum', { x }, { axis: axes, keepDims }, output)
    const width = sizeOf(reduced.map((axis) => x.shape[axis] as number))
    const columns = sizeOf(x.shape) / width
    const leads = reduced.every((axis) => x.shape.slice(0, axis).every((size, d) => size === 1 || reduced.includes(d)))
    // A product with a row of ones needs no transpose.
    if (leads && columns > 1 && x.dtype === 'float') {
      const [a, b] = [kernels.fill(1, 'float', [1, width]), kernels.reshape(x, [width, columns])]
      const flags = { transposeA: false, transposeB: false }
      const sums = kernels.emit('BatchMatMul', flat3({ a, b }, kernels), flags, {
        dtype: 'float',
        shape: [1, 1, columns],
      })
      return kernels.reshape(sums, output.shape)
    }
    return kernels.reshape(sumRows(kernels, rowsOf(kernels, x, axes).rows), output.shape)
  },
  max: (kernels, inputs, { axes }, output) => {
    const { rows } = rowsOf(kernels, only(inputs), axes)
    const type = { dtype: output.dtype, shape: [rows.shape[0] as number] }
    const best = kernels.emit('Max', { x: rows }, { reductionIndices: [1], keepDims: false }, type)
    return kernels.reshape(best, output.shape)
  },
  argmax: (kernels, inputs, { axis }, output) => {
    const { rows } = rowsOf(kernels, only(inputs), [axis])
    const type = { dtype: 'int', shape: [rows.shape[0] as number] } as const
    return kernels.reshape(kernels.emit('ArgMax', { x: rows }, { axis: 1 }, type), output.shape)
  },
  cumsum: (kernels, inputs, { axis, reverse }, output) => {
    const x = only(inputs)
    if (sizeOf(x.shape) === 0) return x
    const { rows, kept } = rowsOf(kernels, x, [axis])
    const sums = kernels.emit('Cumsum', { x: rows }, { axis: 1, exclusive: false, reverse }, rows)
    const back = x.shape.map((_, d) => (d < axis ? d : d === axis ? kept.length : d - 1))
    return kernels.reshape(
      kernels.transpose(kernels.reshape(sums, [...kept, x.shape[axis] as number]), back),
      output.shape,
    )
  },
  sortDescending: (kernels, inputs, { k }, output) => {
    const x = only(inputs)
    if (sizeOf(output.shape) === 0) return kernels.fill(0, 'float', output.shape)
    const width = x.shape[x.shape.length - 1] as number
    const rows = kernels.reshape(x, [sizeOf(x.shape) / width, width])
    const type = { dtype: 'float', shape: [rows.shape[0] as number, k] } as const
    return kernels.reshape(kernels.emit('TopK', { x: rows }, { k, sorted: true }, type), output.shape)
  },
  logSumExp: 'decompose',
}

const flat3 = ({ a, b }: { a: Value; b: Value }, kernels: KernelBuilder): { a: Value; b: Value } => ({
  a: kernels.reshape(a, [1, ...a.shape]),
  b: kernels.reshape(b, [1, ...b.shape]),
})
