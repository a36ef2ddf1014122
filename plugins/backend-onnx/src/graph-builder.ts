import type { DType, Shape, TensorData } from '@collimate/core'
import {
  elementTypes,
  type ElementType,
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxNode,
} from './onnx-model.js'
import type { Device, Precision } from './providers.js'

export const elementTypeOf: Readonly<Record<DType, ElementType>> = { float: 'float32', int: 'int32', bool: 'bool' }

export interface NodeOptions {
  /** Further outputs that the op must have and nobody reads. */
  readonly unread?: number
  readonly domain?: 'com.microsoft'
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

/** Collects the nodes and constants of one ONNX graph; every value gets a unique name. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = []
  readonly initializers: OnnxInitializer[] = []
  readonly #constants = new Map<string, string>()
  readonly #casts = new Map<string, string>()

  /** Names of values that come from feeds unchanged: where they are indices, the client checks them before each run. */
  readonly checked = new Set<string>()

  constructor(
    readonly device: Device,
    /** Of matrix products; everything else is float32. */
    readonly precision: Precision = 'float32',
  ) {}

  /** Adds a node and returns the name of its first value. */
  emit(type: string, inputs: readonly string[], { domain, attributes, unread = 0 }: NodeOptions = {}): string {
    const number = this.nodes.length
    const output = `n${number}`
    this.nodes.push({
      type,
      name: `${type}_${number}`,
      inputs,
      outputs: [output, ...Array.from({ length: unread }, (_, i) => `${output}_${i}`)],
      ...(domain && { domain }),
      ...(attributes && { attributes }),
    })
    return output
  }

  /** A constant of a program's dtype: floats in float32. */
  constant(data: TensorData | readonly number[], dtype: DType, shape: Shape): string {
    const bytes =
      dtype === 'float' ? Float32Array.from(data) : dtype === 'int' ? Int32Array.from(data) : Uint8Array.from(data)
    return this.#initializer(bytes, elementTypeOf[dtype], shape)
  }

  scalar(value: number, dtype: DType = 'float'): string {
    return this.constant([value], dtype, [])
  }

  /** A list of int64: axes, sizes, starts. */
  list(values: readonly number[]): string {
    return this.#initializer(BigInt64Array.from(values, BigInt), 'int64', [values.length])
  }

  /** An int value as int64, for the few ops that ask for it. */
  wide(value: string): string {
    return this.cast(value, 'int64')
  }

  /** A value as another type; the same cast is made once. */
  cast(value: string, type: ElementType): string {
    const key = `${type} ${value}`
    const known = this.#casts.get(key)
    if (known !== undefined) return known
    const cast = this.emit('Cast', [value], { attributes: { to: { int: elementTypes[type] } } })
    this.#casts.set(key, cast)
    return cast
  }

  #initializer(data: ArrayBufferView, type: ElementType, shape: Shape): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const key = bytes.length <= 64 ? `${type}[${shape.join()}]${bytes.join()}` : undefined
    const known = key === undefined ? undefined : this.#constants.get(key)
    if (known !== undefined) return known
    const name = `c${this.initializers.length}`
    this.initializers.push({ name, type, shape, data: bytes })
    if (key !== undefined) this.#constants.set(key, name)
    return name
  }
}
