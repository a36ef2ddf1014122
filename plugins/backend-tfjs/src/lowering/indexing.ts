import { type OpAttributes, sizeOf } from '@collimate/graph'
import type { KernelBuilder, Value } from '../kernel-builder.js'
import { type Lowerings, only } from './lowering.js'

/** Sizes before, along and behind an axis. */
function around(shape: readonly number[], axis: number): { outer: number; length: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    length: shape[axis] as number,
    inner: sizeOf(shape.slice(axis + 1)),
  }
}

/** Places in the flattened table: (o · length + index) · inner + i, as [n, 1]. */
function places(kernels: KernelBuilder, table: Value, index: Value, axis: number): Value {
  const { outer, length, inner } = around(table.shape, axis)
  const type = { dtype: 'int', shape: [outer, index.shape[axis] as number, inner] } as const
  let place = kernels.reshape(index, type.shape)
  if (inner > 1) place = kernels.emit('Multiply', { a: place, b: kernels.scalar(inner, 'int') }, {}, type)
  if (outer * inner > 1) {
    const offsets = Array.from(
      { length: outer * inner },
      (_, at) => Math.floor(at / inner) * length * inner + (at % inner),
    )
    const b = kernels.ints(offsets, [outer, 1, inner])
    place = kernels.emit(
      'Add',
      { a: place, b: kernels.provider === 'cpu' ? kernels.broadcast(b, type.shape) : b },
      {},
      type,
    )
  }
  return kernels.reshape(place, [sizeOf(type.shape), 1])
}

/** Reading and writing at computed places. */
export const indexing: Lowerings<Pick<OpAttributes, 'gather' | 'takeAlong' | 'scatterAdd'>> = {
  gather: (kernels, inputs, { axis }, output) => {
    const [x, indices] = [only(inputs, 0), only(inputs, 1)]
    const { outer, length, inner } = around(x.shape, axis)
    kernels.check(indices, 'gather', length)
    if (sizeOf(output.shape) === 0) return kernels.fill(0, output.dtype, output.shape)
    const count = sizeOf(indices.shape)
    if (kernels.provider !== 'wasm') {
      const flat = kernels.reshape(indices, [count])
      const shape = [...x.shape.slice(0, axis), count, ...x.shape.slice(axis + 1)]
      const taken = kernels.emit('GatherV2', { x, indices: flat }, { axis, batchDims: 0 }, { dtype: x.dtype, shape })
      return kernels.reshape(taken, output.shape)
    }
    // WASM's GatherV2 moves value by value, its GatherNd row by row: a hundred times as fast.
    const table = kernels.transpose(kernels.reshape(x, [outer, length, inner]), [1, 0, 2])
    const taken = kernels.emit(
      'GatherNd',
      { params: kernels.reshape(table, [length, outer * inner]), indices: kernels.reshape(indices, [count, 1]) },
      {},
      { dtype: x.dtype, shape: [count, outer * inner] },
    )
    const parts = kernels.reshape(taken, [count, outer, inner])
    return kernels.reshape(kernels.transpose(parts, [1, 0, 2]), output.shape)
  },
  takeAlong: (kernels, inputs, { axis }, output) => {
    const [x, index] = [only(inputs, 0), only(inputs, 1)]
    kernels.check(index, 'takeAlong', x.shape[axis] as number)
    if (sizeOf(output.shape) === 0) return kernels.fill(0, output.dtype, output.shape)
    const params = kernels.reshape(x, [sizeOf(x.shape)])
    const indices = places(kernels, x, index, axis)
    const type = { dtype: output.dtype, shape: [sizeOf(output.shape)] }
    return kernels.reshape(kernels.emit('GatherNd', { params, indices }, {}, type), output.shape)
  },
  // ScatterNd adds what comes to one place; WASM lacks UnsortedSegmentSum.
  scatterAdd: (kernels, inputs, { axis }, output) => {
    const [x, index, updates] = [only(inputs, 0), only(inputs, 1), only(inputs, 2)]
    const { length, inner } = around(x.shape, axis)
    kernels.check(kernels.rowIndex(index, axis) ?? index, 'scatterAdd', length)
    if (sizeOf(updates.shape) === 0) return x
    const column = axis === 0 ? kernels.rowIndex(index, axis) : undefined
    const indices = column ? kernels.reshape(column, [updates.shape[0] as number, 1]) : places(kernels, x, index, axis)
    const shape = column ? [length, inner] : [sizeOf(x.shape)]
    const rows = kernels.reshape(updates, column ? [updates.shape[0] as number, inner] : [sizeOf(updates.shape)])
    const sums = kernels.reshape(
      kernels.emit('ScatterNd', { indices, updates: rows }, { shape }, { dtype: x.dtype, shape }),
      output.shape,
    )
    return x.fill === 0 ? sums : kernels.emit('Add', { a: x, b: sums }, {}, output)
  },
}
