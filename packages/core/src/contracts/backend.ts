import type { DType, HostTensor, Program, Shape, TensorData } from './program.js'

/** Names a set of state buffers on the backend. */
export type StateId = string & { readonly __state?: never }
/** Names a compiled program on the backend. */
export type ExecutableId = string & { readonly __executable?: never }

export interface BackendCapabilities {
  /** Plugin name, e.g. `onnx`. */
  readonly backend: string
  /** Where it computes: `cpu`, `cuda`, `webgpu`, ... */
  readonly device: string
  /** Precision of `float` values; `float16` is that of matrix products alone, and everything else is float32 there. */
  readonly precision: 'float64' | 'float32' | 'float16'
  /** Threads used for one run, where that is known. */
  readonly threads?: number
}

/** How a backend computes an op of programs on a device. */
export interface OpSupport {
  /** `kernel`: written with kernels of its engine; `decomposed`: made of other ops first. */
  readonly how: 'kernel' | 'decomposed'
  /** Names of those kernels, or of those ops. */
  readonly into: readonly string[]
}

/** What a state buffer starts as: given values, or `fill` everywhere (default 0). */
export type StateInit = HostTensor | { readonly dtype: DType; readonly shape: Shape; readonly fill?: number }

/**
 * Runs tensor programs and keeps tensors between runs.
 *
 * Plain data in and out, so that an implementation can live in its own worker thread and the caller's event loop never
 * blocks. Calls are executed in the order in which they were made. Every verb rejects with a `CollimateError`; after a
 * rejected `run` the state buffers hold what they held before it.
 */
export interface Backend {
  capabilities(): Promise<BackendCapabilities>

  /**
   * Prepares a program. Programs are cached by the caller; a backend compiles what it is given.
   * `frozen`: state sets whose present values are built into the executable as constants. It runs faster and does not
   * see later changes of those buffers; the program must not update them.
   */
  compile(request: { program: Program; frozen?: readonly StateId[] }): Promise<ExecutableId>

  /**
   * Runs an executable once. `feeds` holds exactly the program's `feed` inputs (an unknown, missing or wrongly sized feed
   * is refused); `state` inputs are looked up by name in `states`, the first set that has the name wins.
   * Returns the program's outputs in freshly allocated arrays; the caller keeps ownership of the feeds.
   */
  run(request: {
    executable: ExecutableId
    feeds: Readonly<Record<string, TensorData>>
    states?: readonly StateId[]
  }): Promise<Record<string, TensorData>>

  /**
   * Creates a set of named state buffers and copies the initial values in. Buffers that one program updates together
   * (weights, gradients and moments) belong in one set: a backend may lay them out side by side.
   */
  state(request: { tensors: Readonly<Record<string, StateInit>> }): Promise<StateId>
  /** Copies buffers out, all of the set's or the named ones. */
  read(request: { state: StateId; names?: readonly string[] }): Promise<Record<string, HostTensor>>
  /** Copies values into existing buffers; shape and dtype must be those of the buffer. */
  write(request: { state: StateId; tensors: Readonly<Record<string, HostTensor>> }): Promise<void>
  /** A new set with the present values of an existing one (all buffers or the named ones), copied on the device. */
  copy(request: { state: StateId; names?: readonly string[] }): Promise<StateId>

  /** Frees an executable or a state set. Freeing twice is harmless. */
  release(request: { id: ExecutableId | StateId }): Promise<void>
  /** What is alive: laws assert that it is constant per step. Bytes count state buffers. */
  usage(): Promise<{ executables: number; states: number; bytes: number }>
  /** Frees everything and ends the worker. Harmless when repeated. */
  close(): Promise<void>
}

export const backendVerbs = [
  'capabilities',
  'compile',
  'run',
  'state',
  'read',
  'write',
  'copy',
  'release',
  'usage',
  'close',
] as const
