import type { Requests } from '@collimate/backends/worker'
import type { CompiledProgram } from '../compiled.js'
import type { Device, Precision } from '../providers.js'

/** How sessions are made; settled by the client from the plugin's options. */
export interface SessionSettings {
  readonly device: Device
  readonly threads: number
  readonly arena: boolean
  readonly spinning: boolean
  /** Of matrix products. Default float32. */
  readonly precision?: Precision
  /** For cuda: matrix products with 10 bits of mantissa. Default false. */
  readonly tf32?: boolean
}

/** `open` loads ONNX Runtime and tries the device with a tiny program: `y` is `x`ᵀ`x` for [1, 2]. */
export type OnnxRequests = Requests<
  { readonly settings: SessionSettings; readonly probe: CompiledProgram },
  CompiledProgram,
  null
>
