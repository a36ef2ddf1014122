import type { DType, Shape, StateId, TensorData } from '@collimate/core'

/** Number of a tensor of an executable. */
export type Slot = number

/** One call of a TensorFlow.js kernel. */
export interface KernelCall {
  readonly kernel: string
  /** Tensors by the kernel's names, or a list of them. */
  readonly inputs: Readonly<Record<string, Slot>> | readonly Slot[]
  readonly attributes: Readonly<Record<string, unknown>>
  /** Where the result goes: the first, of a kernel with several. */
  readonly output: Slot
}

/** Refuses indices outside of 0 .. length - 1: kernels of some providers read whatever lies there. */
export interface IndexCheck {
  readonly check: Slot
  readonly op: string
  readonly length: number
}

export type Step = (KernelCall | IndexCheck) & {
  /** Tensors that nothing needs after this step. */
  readonly frees: readonly Slot[]
}

/** A program as a list of kernel calls: plain data, made on the caller's thread. */
export interface CompiledProgram {
  /** For error messages. */
  readonly name: string
  readonly slots: number
  /** Tensors that are filled from a feed or a state buffer. */
  readonly inputs: readonly {
    readonly slot: Slot
    readonly role: 'feed' | 'state'
    readonly name: string
    readonly dtype: DType
    readonly shape: Shape
  }[]
  readonly constants: readonly {
    readonly slot: Slot
    readonly dtype: DType
    readonly shape: Shape
    readonly data: TensorData
  }[]
  /** Buffers whose present values become constants. */
  readonly frozen: readonly { readonly slot: Slot; readonly state: StateId; readonly name: string }[]
  /** What depends on constants alone: called once, when the program is compiled. */
  readonly setup: readonly Step[]
  /** Called at every run. */
  readonly steps: readonly Step[]
  readonly outputs: readonly { readonly name: string; readonly slot: Slot }[]
  readonly updates: readonly CompiledUpdate[]
}

export interface CompiledUpdate {
  readonly state: string
  readonly slot: Slot
  readonly at?: { readonly axis: number; readonly start: string }
}
