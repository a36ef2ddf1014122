import { open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { ModelSnapshot } from './contracts/model.js'
import type { HostTensor, TensorData } from './contracts/program.js'
import { CollimateError } from './errors.js'

/** Everything that a run needs to go on in the same bits. */
export interface Checkpoint {
  /** Optimiser steps done. */
  readonly step: number
  /** Training examples consumed since the beginning, over all epochs. */
  readonly consumed: number
  /** What `Trainer.state()` gave. */
  readonly trainer: unknown
  readonly policy: ModelSnapshot
  /** Present where the trainer has a critic. */
  readonly critic?: ModelSnapshot
}

/*
 * File: 8 bytes "CLMTCKP1", the length of the header as a 64-bit little-endian integer, the header as JSON, then the
 * tensors as raw little-endian bytes, each at its offset from the end of the header. Offsets are multiples of 8.
 */
const MAGIC = 'CLMTCKP1'
const arrays = { Float32Array, Float64Array, Int32Array, Uint8Array } as const
type ArrayName = keyof typeof arrays

interface StoredTensor extends Omit<HostTensor, 'data'> {
  readonly array: ArrayName
  readonly length: number
  readonly offset: number
}
type StoredSnapshot = Omit<ModelSnapshot, 'tensors'> & { readonly tensors: Readonly<Record<string, StoredTensor>> }
interface Header extends Omit<Checkpoint, 'policy' | 'critic'> {
  readonly policy: StoredSnapshot
  readonly critic?: StoredSnapshot
  /** Bytes of all tensors. */
  readonly bytes: number
}

const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8

/** Writes a checkpoint whole or not at all: to a temporary file, flushed, then renamed. */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const tensors: HostTensor[] = []
  let offset = 0
  const store = ({ tensors: given, ...counters }: ModelSnapshot): StoredSnapshot => {
    // By entries, here and below: assigned, a tensor named __proto__ would be lost.
    const stored = Object.entries(given).map(([name, tensor]): [string, StoredTensor] => {
      const { dtype, shape, data } = tensor
      const at = offset
      offset += aligned(data.byteLength)
      tensors.push(tensor)
      return [name, { dtype, shape, array: data.constructor.name as ArrayName, length: data.length, offset: at }]
    })
    return { ...counters, tensors: Object.fromEntries(stored) }
  }
  const { policy, critic, ...rest } = checkpoint
  const snapshots = { policy: store(policy), ...(critic && { critic: store(critic) }) }
  const header: Header = { ...rest, ...snapshots, bytes: offset }
  const text = Buffer.from(JSON.stringify(header))
  const start = Buffer.alloc(16)
  start.write(MAGIC, 'latin1')
  start.writeBigUInt64LE(BigInt(text.length), 8)

  const temporary = `${file}.tmp`
  try {
    const handle = await open(temporary, 'w')
    try {
      await writeAll(handle, start)
      await writeAll(handle, text)
      for (const { data } of tensors) {
        await writeAll(handle, bytesOf(data))
        await writeAll(handle, Buffer.alloc(aligned(data.byteLength) - data.byteLength))
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Longest piece for one system call: some systems refuse 2 GiB. */
const PIECE = 2 ** 28

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(PIECE, bytes.length - done))
    done += bytesWritten
  }
}

async function readAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(PIECE, bytes.length - done), position + done)
    if (bytesRead === 0) return false
    done += bytesRead
  }
  return true
}

/** Reads a checkpoint; COLLIMATE_CHECKPOINT_MISSING, or COLLIMATE_CHECKPOINT_BROKEN where it is not one, or cut short. */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const broken = (reason: string, cause?: unknown): CollimateError =>
    new CollimateError('COLLIMATE_CHECKPOINT_BROKEN', `${file}: ${reason}`, {
      hint: 'start the run anew, without resume',
      cause,
    })
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new CollimateError('COLLIMATE_CHECKPOINT_MISSING', `there is no checkpoint ${file}`, {
      hint: 'start the run without resume',
      cause: error,
    })
  })
  try {
    const { size } = await handle.stat()
    const start = Buffer.alloc(16)
    if (size < 16 || !(await readAll(handle, start, 0)) || start.toString('latin1', 0, 8) !== MAGIC)
      throw broken('not a checkpoint')
    const headerLength = Number(start.readBigUInt64LE(8))
    if (headerLength > size - 16) throw broken('cut short')
    const text = Buffer.alloc(headerLength)
    await readAll(handle, text, 16)
    let header: Header
    try {
      header = JSON.parse(text.toString()) as Header
    } catch (error) {
      throw broken('its header is not JSON', error)
    }
    const base = 16 + headerLength
    if (base + header.bytes !== size) throw broken(`${size} bytes instead of ${base + header.bytes}`)
    const load = async ({ tensors: stored, ...counters }: StoredSnapshot): Promise<ModelSnapshot> => {
      const tensors: [string, HostTensor][] = []
      for (const [name, { dtype, shape, array, length, offset }] of Object.entries(stored)) {
        const data = new arrays[array](length)
        await readAll(handle, bytesOf(data), base + offset)
        tensors.push([name, { dtype, shape, data }])
      }
      return { ...counters, tensors: Object.fromEntries(tensors) }
    }
    const { step, consumed, trainer, policy, critic } = header
    return { step, consumed, trainer, policy: await load(policy), ...(critic && { critic: await load(critic) }) }
  } finally {
    await handle.close()
  }
}
