import { CollimateError } from '@collimate/core'
import { isJsonObject } from '../json-object.js'

/** Bytes per element of the stored types that we read. */
export const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const

export type StoredType = keyof typeof elementBytes

/** Where a tensor lies: `begin` and `end` are byte offsets from the start of the file. */
export interface StoredTensor {
  readonly name: string
  readonly type: StoredType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  readonly tensors: readonly StoredTensor[]
  readonly metadata: Readonly<Record<string, string>>
}

/** The format's own limit on the header, bytes. */
export const headerLimit = 100_000_000

/** An error that names the file, what is wrong and, where one is concerned, the tensor. */
export function safetensorsError(file: string, problem: string, cause?: unknown): CollimateError {
  return new CollimateError('COLLIMATE_SAFETENSORS_INVALID', `${file}: ${problem}`, {
    hint: 'the file is damaged or not a safetensors file; copy or download it again',
    cause,
  })
}

/**
 * Parses and checks the JSON header (format: github.com/huggingface/safetensors, "Format").
 * Every tensor must have a known type, offsets that fit its shape, and the tensors must fill the file without gap or overlap.
 *
 * @param text the header as stored, without its length
 * @param fileBytes size of the whole file; data begins at 8 + bytes of the header
 */
export function parseHeader(file: string, text: string, dataStart: number, fileBytes: number): SafetensorsHeader {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw safetensorsError(file, `the header at byte 8 is not JSON (${(cause as Error).message})`, cause)
  }
  if (!isJsonObject(json)) throw safetensorsError(file, 'the header at byte 8 is not a JSON object')
  const { __metadata__: metadata = {}, ...entries } = json
  if (!isJsonObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw safetensorsError(file, '__metadata__ in the header is not an object of strings')
  }
  const tensors = Object.entries(entries).map(([name, entry]) => parseEntry(file, name, entry, dataStart))
  checkCoverage(file, tensors, dataStart, fileBytes)
  return { tensors, metadata: metadata as Record<string, string> }
}

function parseEntry(file: string, name: string, entry: unknown, dataStart: number): StoredTensor {
  const fail = (problem: string): never => {
    throw safetensorsError(file, `tensor "${name}": ${problem}`)
  }
  if (!isJsonObject(entry)) return fail('its header entry is not an object')
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string' || !Object.hasOwn(elementBytes, dtype)) {
    return fail(`dtype ${JSON.stringify(dtype)} is not one of ${Object.keys(elementBytes).join(', ')}`)
  }
  if (!isSizes(shape)) return fail(`shape ${JSON.stringify(shape)} is not a list of sizes`)
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`data_offsets ${JSON.stringify(offsets)} are not [begin, end]`)
  }
  const type = dtype as StoredType
  const bytes = shape.reduce((product, size) => product * size, elementBytes[type])
  const [begin, end] = offsets as [number, number]
  if (end - begin !== bytes) {
    return fail(
      `offsets ${begin} to ${end} hold ${end - begin} bytes, but ${dtype} [${shape.join(', ')}] needs ${bytes}`,
    )
  }
  return { name, type, shape, begin: dataStart + begin, end: dataStart + end }
}

function checkCoverage(file: string, tensors: readonly StoredTensor[], dataStart: number, fileBytes: number): void {
  let position = dataStart
  for (const tensor of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (tensor.begin !== position) {
      const what = tensor.begin < position ? 'overlaps the tensor before it' : 'leaves a gap before it'
      throw safetensorsError(
        file,
        `tensor "${tensor.name}" at byte ${tensor.begin} ${what} (expected byte ${position})`,
      )
    }
    if (tensor.end > fileBytes) {
      throw safetensorsError(
        file,
        `cut off: tensor "${tensor.name}" ends at byte ${tensor.end}, the file at byte ${fileBytes}`,
      )
    }
    position = tensor.end
  }
  if (position !== fileBytes) {
    throw safetensorsError(file, `${fileBytes - position} bytes after the last tensor, from byte ${position}`)
  }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}
