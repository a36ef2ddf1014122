import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Log-probs of the scored tokens of a pair by the name of the pair: those of the chosen answer, then of the rejected. */
export type LogProbsByPair = Map<string, Float32Array | Float64Array>

/** The file: one line of JSON, then the log-probs of the pairs one behind the other, little-endian. */
interface Header {
  readonly format: typeof format
  readonly key: string
  readonly precision: 'float32' | 'float64'
  /** Name and number of log-probs of each pair. */
  readonly pairs: readonly (readonly [string, number])[]
  /** SHA-256 of what follows this line. */
  readonly checksum: string
}

const format = 'collimate reference log-probs 1'

/** Writes all of the file or nothing. */
export async function writeCache(file: string, key: string, pairs: LogProbsByPair): Promise<void> {
  const arrays = [...pairs.values()]
  const precision = arrays.some((values) => values instanceof Float64Array) ? 'float64' : 'float32'
  const total = arrays.reduce((sum, { length }) => sum + length, 0)
  const values = precision === 'float64' ? new Float64Array(total) : new Float32Array(total)
  let at = 0
  for (const array of arrays) {
    values.set(array, at)
    at += array.length
  }
  const body = Buffer.from(values.buffer)
  const lengths = [...pairs].map(([name, { length }]) => [name, length] as const)
  const header: Header = { format, key, precision, pairs: lengths, checksum: sha256(body) }
  await mkdir(dirname(file), { recursive: true })
  const unfinished = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(unfinished, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]))
    await rename(unfinished, file)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** Reads a cache; `absent` where there is no file, `unusable` where it is damaged or of another key. */
export async function readCache(file: string, key: string): Promise<LogProbsByPair | 'absent' | 'unusable'> {
  let content: Buffer
  try {
    content = await readFile(file)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unusable'
  }
  try {
    const end = content.indexOf('\n')
    const header = JSON.parse(content.toString('utf8', 0, end)) as Header
    const body = content.subarray(end + 1)
    if (header.format !== format || header.key !== key || header.checksum !== sha256(body)) return 'unusable'
    const { buffer } = Uint8Array.from(body) // a copy that begins at an aligned address
    const values = header.precision === 'float64' ? new Float64Array(buffer) : new Float32Array(buffer)
    const pairs: LogProbsByPair = new Map()
    let at = 0
    for (const [name, length] of header.pairs) {
      pairs.set(name, values.subarray(at, at + length))
      at += length
    }
    return at === values.length ? pairs : 'unusable'
  } catch {
    return 'unusable'
  }
}

export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
