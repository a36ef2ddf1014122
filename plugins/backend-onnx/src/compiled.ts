import type { DType, Shape, StateId } from '@collimate/core'
import type { ElementwisePlan } from './elementwise/plan.js'
import type { IndexFeed } from './indices.js'

/** What the worker needs to run a program: plain data, made on the caller's thread. */
export interface CompiledProgram {
  /** For error messages. */
  readonly name: string
  /** The model for ONNX Runtime; absent where the program computes nothing. */
  readonly model?: Uint8Array<ArrayBuffer>
  /** Graph inputs of the model, each filled from a feed or a state buffer. */
  readonly inputs: readonly {
    readonly value: string
    readonly role: 'feed' | 'state'
    readonly name: string
    readonly dtype: DType
    readonly shape: Shape
    /** A state that lives in the memory of the device between runs. */
    readonly resident?: true
  }[]
  /** Graph outputs that go back to the caller. */
  readonly outputs: readonly { readonly value: string; readonly name: string }[]
  /** Graph outputs that are written into state buffers. */
  readonly updates: readonly CompiledUpdate[]
  /** Frozen buffers: initializers of the model whose values the worker adds from its states. */
  readonly frozen: readonly { readonly path: string; readonly state: StateId; readonly name: string }[]
  /** Feeds that the client checks before a run, because the kernels of the device do not: none on the CPU. */
  readonly indices: readonly IndexFeed[]
  /** The same program as passes over state memory, where it is element-wise; preferred to the model. */
  readonly elementwise?: ElementwisePlan
}

export interface CompiledUpdate {
  readonly value: string
  readonly state: string
  /** It stays in the memory of the device. */
  readonly resident?: true
  readonly at?: { readonly axis: number; readonly start: string; readonly shape: Shape }
}
