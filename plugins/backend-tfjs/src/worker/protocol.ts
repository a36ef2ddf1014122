import type { Requests } from '@collimate/backends/worker'
import type { CompiledProgram } from '../compiled.js'
import type { Device } from '../devices.js'

export interface Settings {
  /** Devices to try, in this order. */
  readonly devices: readonly Device[]
}

/** Where it computes, and why not on what was tried before. */
export interface Opened {
  readonly device: Device
  readonly refused: readonly { readonly device: Device; readonly reason: string }[]
}

export type TfjsRequests = Requests<Settings, CompiledProgram, Opened>
