import { CollimateError, type DType, type Shape, type StateInit, type TensorData } from '@collimate/core'
import { sizeOf } from '@collimate/graph'
import type { WireInit } from './protocol.js'

/** Array of float values: what the backend computes in. */
export type FloatArray = typeof Float32Array | typeof Float64Array

const accepted = { float: [Float32Array, Float64Array], int: [Int32Array], bool: [Uint8Array] } as const

/**
 * A copy of the caller's values in the array type of the backend, on a buffer of its own that can be transferred.
 * COLLIMATE_TENSOR_INVALID where array type or length do not belong to dtype and shape.
 */
export function ownCopy(
  what: string,
  dtype: DType,
  shape: Shape,
  data: TensorData,
  Float: FloatArray = Float32Array,
): TensorData {
  const accepts: readonly (abstract new (...values: never[]) => unknown)[] = accepted[dtype]
  if (!accepts.some((array) => data instanceof array)) {
    const names = accepts.map(({ name }) => name).join(' or ')
    throw new CollimateError(
      'COLLIMATE_TENSOR_INVALID',
      `${what}: ${dtype} values come as ${names}, not ${nameOf(data)}`,
    )
  }
  if (data.length !== sizeOf(shape)) {
    throw new CollimateError(
      'COLLIMATE_TENSOR_INVALID',
      `${what}: ${data.length} values given, shape [${shape.join(', ')}] has ${sizeOf(shape)}`,
    )
  }
  // Arrays of a view or of shared memory become arrays of their own.
  if (dtype === 'float') return new Float(data)
  return dtype === 'int' ? new Int32Array(data) : new Uint8Array(data)
}

/** What a new buffer starts as, checked and ready to travel. */
export function wireInit(name: string, init: StateInit, Float?: FloatArray): WireInit {
  const { dtype, shape } = init
  if (shape.some((length) => !Number.isInteger(length) || length < 0)) {
    throw new CollimateError('COLLIMATE_TENSOR_INVALID', `state ${name}: [${shape.join(', ')}] is not a shape`)
  }
  if (!('data' in init)) return { dtype, shape, fill: init.fill ?? 0 }
  return { dtype, shape, data: ownCopy(`state ${name}`, dtype, shape, init.data, Float) }
}

/** Buffers to transfer with a message. */
export const buffersOf = (tensors: Iterable<TensorData | WireInit>): ArrayBuffer[] =>
  [...tensors].flatMap((tensor) => {
    const data = ArrayBuffer.isView(tensor) ? tensor : 'data' in tensor ? tensor.data : undefined
    return data ? [data.buffer as ArrayBuffer] : []
  })

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? value.constructor.name : typeof value
}
