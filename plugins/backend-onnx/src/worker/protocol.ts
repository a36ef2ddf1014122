import type { DType, HostTensor, Shape, StateId, ExecutableId, TensorData } from '@collimate/core'
import type { CompiledProgram } from '../compiled.js'
import type { Device } from '../providers.js'

/** How sessions are made; settled by the client from the plugin's options. */
export interface SessionSettings {
  readonly device: Device
  readonly threads: number
  readonly arena: boolean
  readonly spinning: boolean
  /** For cuda: matrix products with 10 bits of mantissa. Default false. */
  readonly tf32?: boolean
}

export type WireInit = HostTensor | { readonly dtype: DType; readonly shape: Shape; readonly fill: number }

/** What the client asks of the worker. Tensors travel with their buffers: both sides transfer, nobody copies twice. */
export interface Requests {
  /** Loads ONNX Runtime and tries the device with a tiny model. */
  open: { request: { settings: SessionSettings; probe: Uint8Array<ArrayBuffer> }; reply: null }
  compile: { request: { id: ExecutableId; program: CompiledProgram }; reply: null }
  run: {
    request: {
      id: ExecutableId
      feeds: Readonly<Record<string, TensorData>>
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
  /** Releases every session; the client ends the thread afterwards. */
  close: { request: Record<never, never>; reply: null }
}
export type Verb = keyof Requests

export type RequestMessage = {
  [V in Verb]: { readonly call: number; readonly verb: V; readonly request: Requests[V]['request'] }
}[Verb]

export type ReplyMessage =
  | { readonly call: number; readonly reply: Requests[Verb]['reply'] }
  | {
      readonly call: number
      readonly failure: {
        readonly code: `COLLIMATE_${string}`
        readonly message: string
        readonly hint?: string | undefined
      }
    }
