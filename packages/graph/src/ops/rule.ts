import type { Tensor } from '../tensor.js'
import type { Attributes, HostTensor, TensorData, Typed } from '../types.js'

interface Meaning<A extends Attributes> {
  /** Number of operands; `variadic` is one or more. */
  readonly arity: number | 'variadic'
  /** The shape rule: dtype and shape of the value; throws a `GraphError` where the operands do not fit. */
  infer(inputs: readonly Typed[], attributes: A): Typed
  /** The value in float64: floats are Float64Array, ints Int32Array, bools Uint8Array. May return an operand's own array. */
  evaluate(inputs: readonly HostTensor[], attributes: A, output: Typed): TensorData
}

/** An operand without a cotangent: its derivative is zero, or it is not a float. */
export type Cotangents = readonly (Tensor | undefined)[]

interface Differentiable<A extends Attributes> {
  /**
   * The vector-Jacobian product: cotangents of the operands from the cotangent `g` of the value `y`.
   * It may use `y` and build any expression over the operands; what nobody needs is dead code.
   */
  gradient(g: Tensor, inputs: readonly Tensor[], y: Tensor, attributes: A): Cotangents
}

interface NotDifferentiable {
  /** Why there is no derivative; part of the error where one is asked for. */
  readonly noGradient: string
}

interface Primitive {
  readonly fused: false
}

interface Fused<A extends Attributes> {
  readonly fused: true
  /** The same value from simpler ops. */
  decompose(inputs: readonly Tensor[], attributes: A): Tensor
}

/** Everything that an op is. */
export type Rule<A extends Attributes = Attributes> = Meaning<A> &
  (Differentiable<A> | NotDifferentiable) &
  (Primitive | Fused<A>)

/** The rules of a family of ops, from the types of their attributes. */
export type Rules<Table> = { readonly [K in keyof Table]: Table[K] extends Attributes ? Rule<Table[K]> : never }
