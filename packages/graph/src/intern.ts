import type { Tensor } from './tensor.js'
import type { AttributeValue, TensorData } from './types.js'

/** Ops whose operands may change places. */
const commutative = new Set(['add', 'mul', 'maximum', 'minimum', 'equal', 'notEqual', 'and', 'or'])

/** Longer constants are merged only where they are the same array: comparing them costs more than it saves. */
const longestCompared = 4096

/** Gives equal expressions (over interned operands) the same tensor, the first one seen. */
export function interner(): (tensor: Tensor) => Tensor {
  const known = new Map<string, Tensor>()
  const numbers = new Map<object, number>()
  const numberOf = (object: object): number => {
    let number = numbers.get(object)
    if (number === undefined) numbers.set(object, (number = numbers.size))
    return number
  }
  const textOf = (value: AttributeValue): string => {
    if (typeof value !== 'object') return String(value)
    if (!ArrayBuffer.isView(value)) return value.join()
    return value.length > longestCompared ? `#${numberOf(value)}` : `${value.constructor.name}:${bitsOf(value)}`
  }
  return (tensor) => {
    const operands = tensor.inputs.map(numberOf)
    if (commutative.has(tensor.op)) operands.sort((a, b) => a - b)
    let key = `${tensor.op}(${operands.join()})${tensor.dtype}[${tensor.shape.join()}]`
    for (const [name, value] of Object.entries(tensor.attributes)) key += ` ${name}=${textOf(value)}`
    const first = known.get(key)
    if (first) return first
    known.set(key, tensor)
    return tensor
  }
}

/** Bits, not numbers: 0 and -0 are different constants, and a NaN equals itself. */
function bitsOf(data: TensorData): string {
  if (data instanceof Uint8Array) return data.join()
  return new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4).join()
}
