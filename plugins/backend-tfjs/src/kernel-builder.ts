import type { DType, Shape, TensorData } from '@collimate/core'
import { sameShape, sizeOf } from '@collimate/graph'
import type { CompiledProgram, IndexCheck, KernelCall, Slot } from './compiled.js'
import type { Provider } from './devices.js'

/** A tensor under construction. */
export interface Value {
  readonly slot: Slot
  readonly dtype: DType
  readonly shape: Shape
  /** The number that it holds everywhere, where that is known. */
  readonly fill?: number
  /** The tensor of the same rank that it repeats, where it was made so. */
  readonly repeats?: Value
}

type Type = { readonly dtype: DType; readonly shape: Shape }

export const tfTypes = { float: 'float32', int: 'int32', bool: 'bool' } as const

/** Collects the kernel calls of a program; equal calls are made once. */
export class KernelBuilder {
  readonly calls: (KernelCall | IndexCheck)[] = []
  readonly constants: CompiledProgram['constants'][number][] = []
  readonly #known = new Map<string, Value>()
  #slots = 0

  constructor(readonly provider: Provider) {}

  get slots(): number {
    return this.#slots
  }

  /** A tensor that comes from outside. */
  input({ dtype, shape }: Type): Value {
    return { slot: this.#slots++, dtype, shape }
  }

  /** Adds a call; `type` is the type of its result. */
  emit(
    kernel: string,
    inputs: Readonly<Record<string, Value>> | readonly Value[],
    attributes: KernelCall['attributes'],
    { dtype, shape }: Type,
    fill?: number,
  ): Value {
    const slots = Array.isArray(inputs)
      ? inputs.map(({ slot }: Value) => slot)
      : Object.fromEntries(Object.entries(inputs as Record<string, Value>).map(([name, { slot }]) => [name, slot]))
    return this.#once(JSON.stringify([kernel, slots, attributes], finite), () => {
      const value: Value = { slot: this.#slots++, dtype, shape, ...(fill !== undefined && { fill }) }
      this.calls.push({ kernel, inputs: slots, attributes, output: value.slot })
      return value
    })
  }

  constant(dtype: DType, shape: Shape, data: TensorData): Value {
    const value = this.input({ dtype, shape })
    this.constants.push({ slot: value.slot, dtype, shape, data })
    return data.length === 1 ? { ...value, fill: data[0] as number } : value
  }

  /** Whole numbers as a constant. */
  ints(values: readonly number[] | Int32Array, shape: Shape = [values.length]): Value {
    return this.#once(JSON.stringify(['ints', Array.from(values), shape]), () =>
      this.constant('int', shape, Int32Array.from(values)),
    )
  }

  scalar(value: number, dtype: DType = 'float'): Value {
    // JSON has no NaN, no infinities and no -0.
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`
    const arrays = { float: Float32Array, int: Int32Array, bool: Uint8Array }
    return this.#once(key, () => this.constant(dtype, [], arrays[dtype].of(value)))
  }

  /** One number everywhere. */
  fill(value: number, dtype: DType, shape: Shape): Value {
    if (shape.length === 0) return this.scalar(value, dtype)
    if (!Number.isFinite(value) || Object.is(value, -0)) return this.#repeat(this.scalar(value, dtype), shape)
    return this.emit('Fill', {}, { shape, value, dtype: tfTypes[dtype] }, { dtype, shape }, value)
  }

  reshape(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x
    return this.emit('Reshape', { x }, { shape }, { dtype: x.dtype, shape }, x.fill)
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    const shape = permutation.map((axis) => x.shape[axis] as number)
    // Axes of size 1 move without moving a value; WASM's kernel would leak a reference there.
    const moved = permutation.filter((axis) => x.shape[axis] !== 1)
    if (moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))) return this.reshape(x, shape)
    return this.emit('Transpose', { x }, { perm: permutation }, { dtype: x.dtype, shape }, x.fill)
  }

  /** x repeated to a shape as in NumPy. */
  broadcast(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x
    const { fill } = x
    return fill !== undefined && !Object.is(fill, -0) ? this.fill(fill, x.dtype, shape) : this.#repeat(x, shape)
  }

  /** The column that an index repeats everywhere but along `axis`; undefined where its values differ. */
  rowIndex(index: Value, axis: number): Value | undefined {
    const column = index.repeats ?? index
    return column.shape.every((size, d) => (d === axis ? size === index.shape[d] : size === 1)) ? column : undefined
  }

  #repeat(x: Value, shape: Shape): Value {
    if (sizeOf(x.shape) === sizeOf(shape)) return this.reshape(x, shape)
    const aligned = this.reshape(x, [...new Array<number>(shape.length - x.shape.length).fill(1), ...x.shape])
    return { ...this.#repeated(aligned, shape), repeats: aligned }
  }

  #repeated(x: Value, shape: Shape): Value {
    const type = { dtype: x.dtype, shape }
    // WASM's Tile takes a hundred times as long as a product with ones, which keeps every value, NaN and -0 too.
    if (this.provider === 'wasm' && x.dtype === 'bool')
      return this.emit('LogicalOr', { a: this.fill(0, 'bool', shape), b: x }, {}, type)
    if (this.provider === 'wasm') return this.emit('Multiply', { a: this.fill(1, x.dtype, shape), b: x }, {}, type)
    return this.emit('Tile', { x }, { reps: shape.map((size, axis) => size / (x.shape[axis] as number)) }, type)
  }

  /** Refuses indices outside of 0 .. length - 1. */
  check(index: Value, op: string, length: number): void {
    this.#once(JSON.stringify(['check', index.slot, length]), () => {
      this.calls.push({ check: index.slot, op, length })
      return index
    })
  }

  #once(key: string, make: () => Value): Value {
    const known = this.#known.get(key) ?? make()
    this.#known.set(key, known)
    return known
  }
}

/** JSON writes every number that is not finite as null. */
const finite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
