import type { DType, ExecutableId, HostTensor, Shape, StateId, TensorData } from '@collimate/core'

export type WireInit = HostTensor | { readonly dtype: DType; readonly shape: Shape; readonly fill: number }

/**
 * What the client asks of the worker: `Open` starts it, `Compiled` is a program as the client prepared it, plain data.
 * Tensors travel with their buffers: both sides transfer, nobody copies twice.
 */
export interface Requests<Open = unknown, Compiled = unknown, Opened = unknown> {
  open: { request: Open; reply: Opened }
  compile: { request: { id: ExecutableId; program: Compiled }; reply: null }
  run: {
    request: {
      id: ExecutableId
      feeds: Readonly<Record<string, TensorData>>
      /** The set of each state of the program that is not frozen. */
      states: Readonly<Record<string, StateId>>
    }
    reply: Record<string, TensorData>
  }
  state: { request: { id: StateId; tensors: Readonly<Record<string, WireInit>> }; reply: null }
  read: { request: { id: StateId; names: readonly string[] }; reply: Record<string, HostTensor> }
  write: { request: { id: StateId; tensors: Readonly<Record<string, HostTensor>> }; reply: null }
  copy: { request: { id: StateId; names: readonly string[]; target: StateId }; reply: null }
  release: { request: { id: ExecutableId | StateId }; reply: null }
  usage: { request: Record<never, never>; reply: { executables: number; states: number; bytes: number } }
  /** Frees everything; the client ends the thread afterwards. */
  close: { request: Record<never, never>; reply: null }
}
export type Verb = keyof Requests

/** What works in the thread: every verb a method. The client has checked the requests. */
export type Engine<All extends Requests = Requests> = {
  [V in Verb]: (request: All[V]['request']) => All[V]['reply'] | Promise<All[V]['reply']>
}

export interface RequestMessage {
  readonly call: number
  readonly verb: Verb
  readonly request: unknown
}

export type ReplyMessage =
  | { readonly call: number; readonly reply: unknown }
  | {
      readonly call: number
      readonly failure: {
        readonly code: `COLLIMATE_${string}`
        readonly message: string
        readonly hint?: string | undefined
      }
    }
