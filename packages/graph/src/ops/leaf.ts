import { GraphError, shapeError } from '../error.js'
import { requireShape, sizeOf } from '../shapes.js'
import { applier, lift, Tensor } from '../tensor.js'
import type { DType, Shape, TensorData } from '../types.js'
import type { Rules } from './rule.js'
import { broadcastTo } from './shape.js'

/** Attributes of ops without operands. */
export interface LeafAttributes {
  constant: { readonly data: TensorData; readonly shape: Shape }
}

export const leaf: Rules<LeafAttributes> = {
  constant: {
    arity: 0,
    fused: false,
    infer: (_, { data, shape }) => ({ dtype: dtypeOf(data), shape }),
    evaluate: (_, { data }) => (data instanceof Float32Array ? Float64Array.from(data) : data),
    gradient: () => [],
  },
}
const apply = applier<LeafAttributes>(leaf)

export function dtypeOf(data: TensorData): DType {
  if (data instanceof Int32Array) return 'int'
  return data instanceof Uint8Array ? 'bool' : 'float'
}

/**
 * A value given from outside under a name. `feed`: at each run; `state`: a buffer that lives on the backend.
 * In one program a name stands for one shape, dtype and role.
 */
export function input(name: string, shape: Shape, dtype: DType = 'float', role: 'feed' | 'state' = 'feed'): Tensor {
  requireShape(`input ${name}`, shape)
  return new Tensor('input', [], { name, role }, dtype, [...shape])
}

/** Values that are part of the program; the shape of a list defaults to its length. The values are copied. */
export function constant(
  data: number | readonly number[] | TensorData,
  shape: Shape = typeof data === 'number' ? [] : [data.length],
  dtype: DType = typeof data === 'number' || Array.isArray(data) ? 'float' : dtypeOf(data as TensorData),
): Tensor {
  requireShape('constant', shape)
  const values = typeof data === 'number' ? [data] : data
  if (values.length !== sizeOf(shape)) {
    throw shapeError(
      'constant',
      [{ dtype, shape }],
      `${values.length} values do not fill it`,
      'fill() repeats one value',
    )
  }
  return apply('constant', [], { data: arrayOf(values, dtype), shape: [...shape] })
}

function arrayOf(values: readonly number[] | TensorData, dtype: DType): TensorData {
  if (!Array.isArray(values) && dtypeOf(values as TensorData) === dtype) return (values as TensorData).slice()
  if (dtype === 'float') return Float64Array.from(values)
  const result = dtype === 'int' ? Int32Array.from(values) : Uint8Array.from(values)
  const wrong = values.findIndex((value: number, i: number) => value !== result[i] || (dtype === 'bool' && value > 1))
  if (wrong < 0) return result
  throw new GraphError('COLLIMATE_GRAPH_DTYPE', `constant: value ${wrong} is ${values[wrong]}, which is not ${dtype}`)
}

/** One value everywhere: a scalar constant, broadcast. */
export function fill(value: number, shape: Shape, dtype: DType = 'float'): Tensor {
  return broadcastTo(lift(value, dtype, 'fill'), shape)
}

/** The int constant 0 .. n - 1. */
export function iota(n: number): Tensor {
  requireShape('iota', [n])
  return constant(Int32Array.from({ length: n }, (_, i) => i))
}
