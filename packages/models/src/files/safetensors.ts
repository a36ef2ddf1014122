import type { HostTensor } from '@collimate/core'
import { open, type FileHandle } from 'node:fs/promises'
import { writeFileAtomically } from './atomic.js'
import { readError } from './file-errors.js'
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.js'
import { elementBytes, headerLimit, parseHeader, safetensorsError } from './safetensors-header.js'
import type { SafetensorsHeader, StoredTensor, StoredType } from './safetensors-header.js'

export interface Safetensors {
  readonly tensors: Record<string, HostTensor>
  readonly metadata: Readonly<Record<string, string>>
}

/** Floating-point types that can be written. */
export type FloatType = 'F32' | 'F16' | 'BF16'

/** Bytes per read: Node refuses single reads of 2 GiB and more. */
const chunkBytes = 2 ** 28

/**
 * Reads a safetensors file, tensor by tensor at its byte range.
 *
 * Floats (F64, F32, F16, BF16) arrive as Float32Array, integers as Int32Array, BOOL as Uint8Array.
 * With `float64`, F64 tensors keep their precision as Float64Array.
 *
 * @throws CollimateError COLLIMATE_FILE_MISSING or _UNREADABLE; COLLIMATE_SAFETENSORS_INVALID naming file, tensor and byte
 */
export async function readSafetensors(file: string, options: { float64?: boolean } = {}): Promise<Safetensors> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'r')
    const header = await readHeader(file, handle)
    const tensors: Record<string, HostTensor> = {}
    for (const stored of header.tensors) {
      const bytes = await readRange(file, handle, stored.begin, stored.end)
      tensors[stored.name] = toHostTensor(file, stored, bytes, options.float64 ?? false)
    }
    return { tensors, metadata: header.metadata }
  } catch (error) {
    throw readError(file, error)
  } finally {
    await handle?.close()
  }
}

async function readHeader(file: string, handle: FileHandle): Promise<SafetensorsHeader> {
  const { size } = await handle.stat()
  if (size < 8) throw safetensorsError(file, `${size} bytes are too few for a header`)
  const length = Number(new BigUint64Array(await readRange(file, handle, 0, 8))[0])
  if (length > headerLimit)
    throw safetensorsError(file, `a header of ${length} bytes is beyond the limit of ${headerLimit}`)
  if (8 + length > size)
    throw safetensorsError(file, `cut off: the header ends at byte ${8 + length}, the file at byte ${size}`)
  const text = new TextDecoder().decode(await readRange(file, handle, 8, 8 + length))
  return parseHeader(file, text, 8 + length, size)
}

async function readRange(file: string, handle: FileHandle, begin: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - begin)
  for (let done = 0; done < bytes.length;) {
    const wanted = Math.min(chunkBytes, bytes.length - done)
    const { bytesRead } = await handle.read(bytes, done, wanted, begin + done)
    if (bytesRead === 0) throw safetensorsError(file, `cut off at byte ${begin + done} while it was read`)
    done += bytesRead
  }
  return bytes.buffer
}

function toHostTensor(file: string, stored: StoredTensor, bytes: ArrayBuffer, float64: boolean): HostTensor {
  const { shape } = stored
  switch (stored.type) {
    case 'F32':
      return { dtype: 'float', shape, data: new Float32Array(bytes) }
    case 'F64': {
      const data = new Float64Array(bytes)
      return { dtype: 'float', shape, data: float64 ? data : Float32Array.from(data) }
    }
    case 'F16':
      return { dtype: 'float', shape, data: fromFloat16(new Uint16Array(bytes)) }
    case 'BF16':
      return { dtype: 'float', shape, data: fromBfloat16(new Uint16Array(bytes)) }
    case 'BOOL':
      return { dtype: 'bool', shape, data: new Uint8Array(bytes).map((value) => (value ? 1 : 0)) }
    case 'I32':
      return { dtype: 'int', shape, data: new Int32Array(bytes) }
    case 'I16':
      return { dtype: 'int', shape, data: Int32Array.from(new Int16Array(bytes)) }
    case 'I8':
      return { dtype: 'int', shape, data: Int32Array.from(new Int8Array(bytes)) }
    case 'U16':
      return { dtype: 'int', shape, data: Int32Array.from(new Uint16Array(bytes)) }
    case 'U8':
      return { dtype: 'int', shape, data: Int32Array.from(new Uint8Array(bytes)) }
    case 'U32':
      return { dtype: 'int', shape, data: narrowInts(file, stored, Array.from(new Uint32Array(bytes))) }
    case 'I64':
      return { dtype: 'int', shape, data: narrowInts(file, stored, Array.from(new BigInt64Array(bytes), Number)) }
  }
}

function narrowInts(file: string, stored: StoredTensor, values: readonly number[]): Int32Array {
  const tooLarge = values.find((value) => value !== (value | 0))
  if (tooLarge === undefined) return Int32Array.from(values)
  throw safetensorsError(file, `tensor "${stored.name}" at byte ${stored.begin}: ${tooLarge} does not fit 32 bits`)
}

/**
 * Writes a safetensors file in one piece or not at all. Floats are written as `dtype` (default F32), ints as I32, bools as
 * BOOL; `metadata` defaults to `{ format: 'pt' }`, which transformers asks for.
 *
 * @throws CollimateError COLLIMATE_FILE_UNWRITABLE
 */
export async function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, HostTensor>>,
  options: { dtype?: FloatType; metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const floatType = options.dtype ?? 'F32'
  const typeOf = (tensor: HostTensor): StoredType =>
    tensor.dtype === 'float' ? floatType : tensor.dtype === 'int' ? 'I32' : 'BOOL'
  // The order of the reference writer: wide types first, so that every tensor is aligned, then by name.
  const entries = Object.entries(tensors).sort(
    ([a, x], [b, y]) => elementBytes[typeOf(y)] - elementBytes[typeOf(x)] || (a < b ? -1 : 1),
  )
  const header: Record<string, unknown> = { __metadata__: options.metadata ?? { format: 'pt' } }
  let position = 0
  for (const [name, tensor] of entries) {
    const bytes = tensor.data.length * elementBytes[typeOf(tensor)]
    header[name] = { dtype: typeOf(tensor), shape: tensor.shape, data_offsets: [position, position + bytes] }
    position += bytes
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const padding = new Uint8Array(-text.length & 7).fill(0x20)
  const length = new BigUint64Array([BigInt(text.length + padding.length)])
  await writeFileAtomically(file, async (handle) => {
    for (const part of [length, text, padding]) await writeAll(handle, part)
    for (const [, tensor] of entries) await writeAll(handle, toStored(tensor, typeOf(tensor)))
  })
}

function toStored(tensor: HostTensor, type: StoredType): ArrayBufferView {
  if (tensor.dtype !== 'float') return tensor.data
  const values = tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data)
  return type === 'F16' ? toFloat16(values) : type === 'BF16' ? toBfloat16(values) : values
}

async function writeAll(handle: FileHandle, view: ArrayBufferView): Promise<void> {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(chunkBytes, bytes.length - done))
    done += bytesWritten
  }
}
