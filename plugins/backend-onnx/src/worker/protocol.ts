import type { Requests } from '@collimate/backends/worker'
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

/** `open` loads ONNX Runtime and tries the device with a tiny model. */
export type OnnxRequests = Requests<
  { readonly settings: SessionSettings; readonly probe: Uint8Array<ArrayBuffer> },
  CompiledProgram,
  null
>
