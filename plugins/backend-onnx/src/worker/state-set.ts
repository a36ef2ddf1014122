import { Failure, type WireInit } from '@collimate/backends/worker'
import type { DType, HostTensor, Shape, TensorData } from '@collimate/core'
import type * as Onnx from 'onnxruntime-node'
import { messageOf } from './message-of.js'

const pageBytes = 65_536
const maximumPages = 65_536
const alignment = 16

/** One named buffer of a set. `offset` moves when an update was computed into the spare place. */
export interface StateBuffer {
  readonly dtype: DType
  readonly shape: Shape
  readonly size: number
  readonly byteLength: number
  offset: number
  spare?: number
  /** The newest values, where they are in the memory of a device; what the host has is old then. */
  device?: DeviceValue
}

/** A tensor in the memory of a device. It never changes, so copies share it; the last user frees it. */
export class DeviceValue {
  #users = 1

  /** `freed` is told when nobody uses it any more. */
  constructor(
    readonly tensor: Onnx.Tensor,
    readonly freed: () => void = () => undefined,
  ) {}

  share(): DeviceValue {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users > 0) return
    this.tensor.dispose()
    this.freed()
  }
}

/**
 * Named buffers side by side in one WebAssembly memory, so that kernels reach all of them and ONNX Runtime reads and
 * writes them in place. Each begins at a multiple of 16 bytes and is padded to one.
 */
export class StateSet {
  readonly memory: WebAssembly.Memory
  readonly buffers: ReadonlyMap<string, StateBuffer>
  readonly kernels = new Map<WebAssembly.Module, (...numbers: number[]) => number | undefined>()
  #end = 0

  constructor(tensors: Readonly<Record<string, { readonly dtype: DType; readonly shape: Shape }>>) {
    const buffers = new Map<string, StateBuffer>()
    for (const [name, { dtype, shape }] of Object.entries(tensors)) {
      const size = shape.reduce((product, length) => product * length, 1)
      const byteLength = size * (dtype === 'bool' ? 1 : 4)
      buffers.set(name, { dtype, shape, size, byteLength, offset: this.#end })
      this.#end += padded(byteLength)
    }
    this.buffers = buffers
    const initial = Math.ceil(this.#end / pageBytes)
    if (initial > maximumPages) {
      throw new Failure(
        'COLLIMATE_STATE_TOO_LARGE',
        `a state set of ${(this.#end / 2 ** 30).toFixed(1)} GiB was asked for; one set holds up to 4 GiB`,
        'split the tensors into several sets',
      )
    }
    this.memory = outOfMemoryAsFailure(this.#end, () => new WebAssembly.Memory({ initial, maximum: maximumPages }))
  }

  /** Bytes of the buffers themselves: what the caller asked for. */
  get bytes(): number {
    return [...this.buffers.values()].reduce((sum, buffer) => sum + buffer.byteLength, 0)
  }

  buffer(name: string): StateBuffer {
    const buffer = this.buffers.get(name)
    if (!buffer) throw new Failure('COLLIMATE_STATE_UNKNOWN', `the state set has no buffer named ${name}`)
    return buffer
  }

  /** The values of a buffer, or its spare place, in place. Growing the memory ends the life of every view. */
  view(name: string, place: 'value' | 'spare' = 'value'): TensorData {
    const { dtype, size, offset, spare } = this.buffer(name)
    const start = place === 'value' ? offset : (spare ?? offset)
    if (dtype === 'float') return new Float32Array(this.memory.buffer, start, size)
    if (dtype === 'int') return new Int32Array(this.memory.buffer, start, size)
    return new Uint8Array(this.memory.buffer, start, size)
  }

  initialise(name: string, init: WireInit): void {
    if ('data' in init) this.view(name).set(init.data)
    else if (init.fill !== 0) this.view(name).fill(init.fill)
  }

  /** A copy of a buffer's values for the caller. */
  read(name: string): HostTensor {
    const { dtype, shape } = this.buffer(name)
    return { dtype, shape, data: this.view(name).slice() }
  }

  /** A tensor of the device becomes the value of a buffer. */
  keepOnDevice(name: string, value: DeviceValue): void {
    const buffer = this.buffer(name)
    buffer.device?.release()
    buffer.device = value
  }

  /** The host's values are the newest again. */
  leaveDevice(name: string): void {
    const buffer = this.buffer(name)
    buffer.device?.release()
    delete buffer.device
  }

  /** Gives back what the buffers hold on a device. */
  release(): void {
    for (const name of this.buffers.keys()) this.leaveDevice(name)
  }

  /** Makes sure that a buffer has a second place, where a run may compute its next value while the present one is read. */
  reserveSpare(name: string): void {
    const buffer = this.buffer(name)
    if (buffer.spare !== undefined) return
    const end = this.#end + padded(buffer.byteLength)
    const missing = Math.ceil(end / pageBytes) - this.memory.buffer.byteLength / pageBytes
    if (missing > 0) outOfMemoryAsFailure(end, () => this.memory.grow(missing))
    buffer.spare = this.#end
    this.#end = end
  }

  /** The spare place holds the next value: it becomes the buffer. */
  swap(name: string): void {
    const buffer = this.buffer(name)
    if (buffer.spare === undefined) return
    const { offset, spare } = buffer
    buffer.offset = spare
    buffer.spare = offset
  }
}

const padded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

function outOfMemoryAsFailure<T>(bytes: number, allocate: () => T): T {
  try {
    return allocate()
  } catch (error) {
    throw new Failure(
      'COLLIMATE_OUT_OF_MEMORY',
      `no memory for a state set of ${Math.ceil(bytes / 2 ** 20)} MiB: ${messageOf(error)}`,
      'release states that are no longer needed, or use a smaller model or batch',
    )
  }
}
