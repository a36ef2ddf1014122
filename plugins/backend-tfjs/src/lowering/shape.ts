import { type OpAttributes, sizeOf } from '@collimate/graph'
import { tfTypes, type KernelBuilder, type Value } from '../kernel-builder.js'
import { type Lowerings, only } from './lowering.js'

type Names = 'constant' | 'reshape' | 'transpose' | 'broadcastTo' | 'slice' | 'concat' | 'pad'

/** Rows `start` .. `end` - 1 of the first axis by number: no row is looked at that is not wanted. */
function rows(kernels: KernelBuilder, x: Value, start: number, end: number): Value {
  const indices = kernels.ints(
    Array.from({ length: end - start }, (_, i) => start + i),
    [end - start, 1],
  )
  const shape = [end - start, ...x.shape.slice(1)]
  return kernels.emit('GatherNd', { params: x, indices }, {}, { dtype: x.dtype, shape })
}

/** Constants, and ops that move values without computing. */
export const shape: Lowerings<Pick<OpAttributes, Names>> = {
  constant: (kernels, _, { data }, { dtype, shape: of }) => {
    const first = data[0]
    if (first !== undefined && data.length > 1 && dtype !== 'bool' && data.every((value: number) => value === first))
      return kernels.fill(first, dtype, of)
    if (data.length === 1 && of.length === 0) return kernels.scalar(first as number, dtype)
    return kernels.constant(dtype, of, data instanceof Float64Array ? Float32Array.from(data) : data)
  },
  reshape: (kernels, inputs, { shape: to }) => kernels.reshape(only(inputs), to),
  transpose: (kernels, inputs, { permutation }) => kernels.transpose(only(inputs), permutation),
  broadcastTo: (kernels, inputs, { shape: to }) => kernels.broadcast(only(inputs), to),
  slice: (kernels, inputs, { starts, ends }, output) => {
    const x = only(inputs)
    const axis = x.shape.findIndex((size) => size !== 1)
    const only1 = x.shape.every((size, d) => d === axis || (starts[d] === 0 && ends[d] === size))
    // WASM's Slice copies all of x before it takes a part of it.
    if (kernels.provider === 'wasm' && axis >= 0 && only1 && sizeOf(output.shape) > 0) {
      const flat = kernels.reshape(x, x.shape.slice(axis))
      return kernels.reshape(rows(kernels, flat, starts[axis] as number, ends[axis] as number), output.shape)
    }
    if (x.shape.length === 0) return x
    return kernels.emit('Slice', { x }, { begin: starts, size: output.shape }, output)
  },
  concat: (kernels, inputs, { axis }, output) => {
    const parts = inputs.filter(({ shape: of }) => sizeOf(of) > 0)
    if (parts.length <= 1) return kernels.reshape(parts[0] ?? only(inputs), output.shape)
    return kernels.emit('Concat', parts, { axis }, output)
  },
  pad: (kernels, inputs, { before, after, value }, output) => {
    const x = only(inputs)
    if (x.shape.length === 0) return x
    const paddings = before.map((count, axis) => [count, after[axis]])
    if (x.dtype !== 'bool') return kernels.emit('PadV2', { x }, { paddings, constantValue: value }, output)
    const type = { dtype: 'int', shape: output.shape } as const
    const whole = kernels.emit('Cast', { x }, { dtype: tfTypes.int }, { dtype: 'int', shape: x.shape })
    const padded = kernels.emit('PadV2', { x: whole }, { paddings, constantValue: value }, type)
    return kernels.emit('NotEqual', { a: padded, b: kernels.scalar(0, 'int') }, {}, output)
  },
}
