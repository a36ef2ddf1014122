import type { DType } from '@collimate/core'
import type { ScalarOp } from './scalar.js'

/** A program of element-wise updates as passes over state memory, in an order that never reads a value after its update. */
export interface ElementwisePlan {
  /** WebAssembly modules (`encodeKernel`), one for each formula. */
  readonly modules: readonly Uint8Array<ArrayBuffer>[]
  /** First: scalar arithmetic in float64, sums over buffers included, in topological order. */
  readonly steps: readonly ScalarStep[]
  /** Then: the passes that update buffers; none reads what another one stores. */
  readonly passes: readonly Pass[]
  /** Buffers of one element, set to a step's value. */
  readonly updates: readonly { readonly state: string; readonly step: number }[]
  readonly outputs: readonly { readonly name: string; readonly step: number; readonly dtype: DType }[]
  /** Groups of state buffers that one pass touches: a kernel reaches only the buffers of one set. */
  readonly together: readonly (readonly string[])[]
}

export type ScalarStep =
  | { readonly op: 'constant'; readonly value: number }
  | { readonly op: 'feed'; readonly name: string }
  | { readonly op: 'state'; readonly name: string }
  | { readonly op: 'reduce'; readonly pass: Pass }
  | { readonly op: ScalarOp; readonly inputs: readonly number[]; readonly exponent?: number; readonly dtype: DType }

/** One call of a kernel. */
export interface Pass {
  /** Number of the module. */
  readonly module: number
  /** Elements of each buffer. */
  readonly count: number
  /** State buffers, in the order of the kernel's pointers. */
  readonly states: readonly string[]
  /** Steps whose values are the kernel's scalars. */
  readonly scalars: readonly number[]
}
