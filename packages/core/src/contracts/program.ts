/**
 * A tensor program as plain data: what a `Backend` is asked to run.
 *
 * `@collimate/graph` builds programs, differentiates them and gives each op its meaning (shape rule, derivative, float64
 * value); this file only fixes the shape of the data, because programs cross threads and the bus.
 */

/** Kind of number. The backend picks the precision of `float` (`BackendCapabilities`). */
export type DType = 'float' | 'int' | 'bool'

/** Dimensions, outermost first; `[]` is a scalar. Every program has concrete shapes. */
export type Shape = readonly number[]

/** Row-major values: floats as Float32Array or Float64Array, ints as Int32Array, bools as Uint8Array (0 or 1). */
export type TensorData = Float32Array | Float64Array | Int32Array | Uint8Array

/** A tensor in host memory. */
export interface HostTensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TensorData
}

/** Constant parameters of an op, such as axes or a permutation; `constant` holds its values in `data`. */
export type AttributeValue = number | string | boolean | readonly number[] | TensorData
export type Attributes = Readonly<Record<string, AttributeValue>>

/** One application of an op. Its value has the number `inputs.length + index` of the node in the program. */
export interface ProgramNode {
  readonly op: string
  /** Numbers of earlier values: program inputs come first, then nodes in order. */
  readonly inputs: readonly number[]
  readonly attributes: Attributes
  readonly dtype: DType
  readonly shape: Shape
}

/** `feed`: given by the caller at each run. `state`: a buffer that lives on the backend under this name. */
export interface ProgramInput {
  readonly name: string
  readonly role: 'feed' | 'state'
  readonly dtype: DType
  readonly shape: Shape
}

/**
 * Writes a value into a state buffer after all values are computed. Without `at` the value replaces the whole buffer.
 * With `at` it replaces the slice of `value`'s size along `axis` that begins at the integer scalar feed `start`
 * (the other dimensions are equal): how new rows enter a key-value cache.
 */
export interface ProgramUpdate {
  readonly state: string
  readonly value: number
  readonly at?: { readonly axis: number; readonly start: string }
}

export interface Program {
  /** For people: shows in profiles and error messages. */
  readonly name: string
  readonly inputs: readonly ProgramInput[]
  /** In topological order. */
  readonly nodes: readonly ProgramNode[]
  /** Values that are returned to the caller. Keep them small: every output is copied. */
  readonly outputs: readonly { readonly name: string; readonly value: number }[]
  readonly updates: readonly ProgramUpdate[]
}
