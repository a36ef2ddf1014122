import { CollimateError, type DType, type Shape, type StateInit, type TensorData } from '@collimate/core'
import type { WireInit } from './worker/protocol.js'

export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1)

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis])

const arrays = {
  float: { accepts: [Float32Array, Float64Array], copy: (data: TensorData) => new Float32Array(data) },
  int: { accepts: [Int32Array], copy: (data: TensorData) => new Int32Array(data) },
  bool: { accepts: [Uint8Array], copy: (data: TensorData) => new Uint8Array(data) },
} as const

/**
 * A copy of the caller's values in the array type of the worker, on a buffer of its own that can be transferred.
 * COLLIMATE_TENSOR_INVALID where array type or length do not belong to dtype and shape.
 */
export function wireData(what: string, dtype: DType, shape: Shape, data: TensorData): TensorData {
  const { accepts, copy } = arrays[dtype]
  if (!accepts.some((array: abstract new (...values: never[]) => unknown) => data instanceof array)) {
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
  return copy(data)
}

/** What a new buffer starts as, checked and ready to travel. */
export function wireInit(name: string, init: StateInit): WireInit {
  const { dtype, shape } = init
  if (shape.some((length) => !Number.isInteger(length) || length < 0)) {
    throw new CollimateError('COLLIMATE_TENSOR_INVALID', `state ${name}: [${shape.join(', ')}] is not a shape`)
  }
  if (!('data' in init)) return { dtype, shape, fill: init.fill ?? 0 }
  return { dtype, shape, data: wireData(`state ${name}`, dtype, shape, init.data) }
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
