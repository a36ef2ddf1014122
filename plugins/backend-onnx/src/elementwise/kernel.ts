/** Ops that a kernel computes on four lanes at once. Comparisons give lane masks, which `where` and the logic ops read. */
export const vectorOps = [
  ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum'],
  ...['neg', 'abs', 'sqrt', 'rsqrt', 'reciprocal', 'square', 'sign', 'relu'],
  ...['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual', 'and', 'or', 'not', 'where'],
] as const
export type VectorOp = (typeof vectorOps)[number]

export type KernelNode =
  | { readonly op: 'load'; readonly pointer: number }
  | { readonly op: 'scalar'; readonly scalar: number }
  | { readonly op: VectorOp; readonly inputs: readonly number[] }

/**
 * One pass over float32 buffers of equal length: reads some of them, stores into some of them, or adds one value up.
 *
 * It names neither addresses nor numbers, so that parameters which are updated by the same formula share one module.
 * Every element is read before it is written, so that a buffer may be read and stored by the same kernel.
 */
export interface Kernel {
  /** How many buffers it reads or writes. */
  readonly pointers: number
  /** How many numbers it is given, each the same for all elements. */
  readonly scalars: number
  /** In topological order. */
  readonly nodes: readonly KernelNode[]
  readonly stores: readonly { readonly node: number; readonly pointer: number }[]
  /** The node whose elements are added up, in float64; the sum is what the kernel returns. */
  readonly sum?: number
}
