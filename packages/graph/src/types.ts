/** Kind of number. The backend picks the precision of `float`; the interpreter computes in float64. */
export type DType = 'float' | 'int' | 'bool'

/** Dimensions, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** Row-major values: floats as Float32Array or Float64Array, ints as Int32Array, bools as Uint8Array (0 or 1). */
export type TensorData = Float32Array | Float64Array | Int32Array | Uint8Array

/** What is known of a value before it is computed. */
export interface Typed {
  readonly dtype: DType
  readonly shape: Shape
}

/** A tensor in host memory. */
export interface HostTensor extends Typed {
  readonly data: TensorData
}

/** Constant parameters of an op, such as axes or a permutation. */
export type AttributeValue = number | string | boolean | readonly number[] | TensorData
export type Attributes = Readonly<Record<string, AttributeValue>>

/** Attributes of an op that has none. */
export type None = Readonly<Record<never, never>>
