import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { nativeCudaFailure } from './failure.js'

/** The provider libraries of CUDA; ONNX Runtime looks for them beside its own library. */
export const libraries = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const

/** sha256 of a library as the RECORD of its wheel has it, in base64 for addresses and without padding (PEP 376, PEP 427). */
export function digestIn(record: string, library: string): string {
  for (const line of record.split('\n')) {
    const [path = '', digest = ''] = line.trim().split(',')
    if (path.split('/').at(-1) === library && digest.startsWith('sha256=')) return digest.slice('sha256='.length)
  }
  throw nativeCudaFailure(`the wheel's RECORD has no sha256 of ${library}`)
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('base64url')
}

/** Refuses a folder whose libraries are not those of the RECORD in it. */
export async function verify(folder: string): Promise<void> {
  const record = await readFile(join(folder, 'RECORD'), 'utf8')
  for (const library of libraries) {
    const [expected, found] = [digestIn(record, library), await digestOf(join(folder, library))]
    if (expected === found) continue
    throw nativeCudaFailure(
      `${join(folder, library)} has sha256 ${found}, the wheel's RECORD says ${expected}`,
      'delete the folder and run this again',
    )
  }
}
