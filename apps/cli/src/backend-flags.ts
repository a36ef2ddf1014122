import type { PluginEntry } from '@collimate/core'
import type { Command } from 'commander'
import { integer } from './flags.js'

/** What `--backend`, `--device`, `--precision` and `--threads` say. */
export interface BackendOptions {
  readonly backend?: string
  readonly device?: string
  readonly precision?: string
  readonly threads?: number
}

/** Adds the flags that choose what computes. */
export function withBackendFlags(command: Command): Command {
  return command
    .option('--backend <name>', 'what computes: an installed backend, see `collimate plugins` (default: onnx)')
    .option('--device <name>', "where it computes, see `collimate doctor` (default: the backend's)")
    .option('--precision <name>', 'of matrix products, where the backend offers it: onnx float16 (default: float32)')
    .option('--threads <number>', "threads of the backend (default: the backend's; onnx: the physical cores)", integer)
}

/** The backend that the flags mean, as an experiment names it. */
export function backendEntry({
  backend = 'onnx',
  device,
  precision,
  threads,
}: BackendOptions): PluginEntry<'backend'> & {
  readonly use: string
} {
  return {
    use: backend,
    ...(device !== undefined && { device }),
    ...(precision !== undefined && { precision }),
    ...(threads !== undefined && { threads }),
  }
}
