import { type OpAttributes, sizeOf } from '@collimate/graph'
import type { KernelBuilder, Value } from '../kernel-builder.js'
import { type Lowerings, only } from './lowering.js'

type Flags = OpAttributes['matmul']

/**
 * Operations of one product of a batch from which on WASM is faster with the products one by one: what is not a plain
 * product of two matrices goes to a kernel that is 20 times as slow.
 */
const worthTaking = 100_000

/** The product of the last two axes, scaled. */
export function product(
  kernels: KernelBuilder,
  a: Value,
  b: Value,
  { transposeA, transposeB, scale }: Flags,
  shape: readonly number[],
): Value {
  const batch = shape.slice(0, -2)
  const [rows, columns] = shape.slice(-2) as [number, number]
  const inner = a.shape[a.shape.length - (transposeA ? 2 : 1)] as number
  if (sizeOf(shape) === 0 || inner === 0) return kernels.fill(0, 'float', shape)
  // The smallest of the three is scaled.
  const sizes = [sizeOf(shape), sizeOf(a.shape), sizeOf(b.shape)]
  const least = scale === 1 ? -1 : sizes.indexOf(Math.min(...sizes))
  const scaled = (x: Value) => kernels.emit('Multiply', { a: x, b: kernels.scalar(scale) }, {}, x)
  const [left, right] = [stacked(kernels, a, batch), stacked(kernels, b, batch)]
  const made = batched(kernels, least === 1 ? scaled(left) : left, least === 2 ? scaled(right) : right, {
    ...{ transposeA, transposeB, rows, inner, columns },
  })
  const result = kernels.reshape(made, shape)
  return least === 0 ? scaled(result) : result
}

/** Matrices as [batch, ., .], or [1, ., .] where all of the batch have the same one. */
function stacked(kernels: KernelBuilder, x: Value, batch: readonly number[]): Value {
  const own = x.shape.slice(0, -2)
  const matrix = x.shape.slice(-2)
  const isOne = sizeOf(own) === 1
  const whole = isOne || sizeOf(own) === sizeOf(batch) ? x : kernels.broadcast(x, [...batch, ...matrix])
  return kernels.reshape(whole, [isOne ? 1 : sizeOf(batch), ...matrix])
}

interface Sizes {
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

function batched(kernels: KernelBuilder, a: Value, b: Value, sizes: Sizes): Value {
  const { transposeA, transposeB, rows, inner, columns } = sizes
  const [countA, countB] = [a.shape[0] as number, b.shape[0] as number]
  // All rows of a batch times one matrix are one product.
  if (countA > 1 && countB === 1 && !transposeA) {
    const all = kernels.reshape(a, [1, countA * rows, inner])
    return kernels.reshape(batched(kernels, all, b, { ...sizes, rows: countA * rows }), [countA, rows, columns])
  }
  const count = Math.max(countA, countB)
  const type = { dtype: 'float', shape: [count, rows, columns] } as const
  if (kernels.provider !== 'wasm' || 2 * rows * inner * columns < worthTaking)
    return kernels.emit('BatchMatMul', { a, b }, { transposeA, transposeB }, type)
  const flags = { transposeA: false, transposeB: false }
  const left = transposeA ? kernels.transpose(a, [0, 2, 1]) : a
  const right = transposeB ? kernels.transpose(b, [0, 2, 1]) : b
  if (count === 1) return kernels.emit('BatchMatMul', { a: left, b: right }, flags, type)
  const one = { dtype: 'float', shape: [1, rows, columns] } as const
  const products = Array.from({ length: count }, (_, i) =>
    kernels.emit('BatchMatMul', { a: matrix(kernels, left, i), b: matrix(kernels, right, i) }, flags, one),
  )
  return kernels.emit('Concat', products, { axis: 0 }, type)
}

/** One matrix of a batch. WASM's Slice would copy all of them. */
function matrix(kernels: KernelBuilder, x: Value, i: number): Value {
  if (x.shape[0] === 1) return x
  const shape = [1, ...x.shape.slice(1)]
  return kernels.emit('GatherNd', { params: x, indices: kernels.ints([i], [1, 1]) }, {}, { dtype: 'float', shape })
}

export const linearAlgebra: Lowerings<Pick<OpAttributes, 'matmul'>> = {
  matmul: (kernels, inputs, flags, { shape }) => product(kernels, only(inputs, 0), only(inputs, 1), flags, shape),
}
