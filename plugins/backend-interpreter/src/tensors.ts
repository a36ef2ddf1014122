import {
  CollimateError,
  type DType,
  type HostTensor,
  type Shape,
  type StateInit,
  type TensorData,
} from '@collimate/core'
import { sizeOf } from '@collimate/graph'

/** `float [2, 3]`. */
export const describe = ({ dtype, shape }: { dtype: DType; shape: Shape }): string => `${dtype} [${shape.join(', ')}]`

/** A copy in the interpreter's own precision; COLLIMATE_TENSOR_INVALID where the values do not belong to dtype and shape. */
export function ownCopy(what: string, dtype: DType, shape: Shape, data: TensorData): TensorData {
  const wrong = (why: string) => new CollimateError('COLLIMATE_TENSOR_INVALID', `${what}: ${why}`)
  if (data?.length !== sizeOf(shape))
    throw wrong(`${data?.length} values given, shape [${shape.join(', ')}] has ${sizeOf(shape)}`)
  if (dtype === 'float' && (data instanceof Float32Array || data instanceof Float64Array))
    return Float64Array.from(data)
  if (dtype === 'int' && data instanceof Int32Array) return data.slice()
  if (dtype === 'bool' && data instanceof Uint8Array) return data.slice()
  throw wrong(`${dtype} values cannot come as ${data.constructor.name}`)
}

/** What a new buffer starts as. */
export function initialValue(name: string, init: StateInit): HostTensor {
  const { dtype, shape } = init
  if (shape.some((length) => !Number.isInteger(length) || length < 0)) {
    throw new CollimateError('COLLIMATE_TENSOR_INVALID', `state ${name}: [${shape.join(', ')}] is not a shape`)
  }
  if ('data' in init) return { dtype, shape, data: ownCopy(`state ${name}`, dtype, shape, init.data) }
  const array = dtype === 'float' ? Float64Array : dtype === 'int' ? Int32Array : Uint8Array
  return { dtype, shape, data: new array(sizeOf(shape)).fill(init.fill ?? 0) }
}
