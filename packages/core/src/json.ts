import { createHash } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { errorLine } from './errors.js'

/**
 * A value as JSON data: numbers that JSON lacks become `"NaN"`, `"Infinity"`, `"-Infinity"`; typed arrays their type and
 * length (they are bulky); errors their line; functions a hash of their text.
 */
export function plain(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return `[function ${value.name} ${digest(String(value)).slice(0, 12)}]`
  if (value instanceof Error) return errorLine(value)
  if (ArrayBuffer.isView(value)) return { type: value.constructor.name, bytes: value.byteLength }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date || value instanceof URL) return String(value instanceof Date ? value.toISOString() : value)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, plain(inner)]),
  )
}

/** JSON text that does not depend on the order of keys. */
export function canonical(value: unknown): string {
  const sorted = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(sorted)
    if (typeof inner !== 'object' || inner === null) return inner
    return Object.fromEntries(
      Object.entries(inner)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, one]) => [key, sorted(one)]),
    )
  }
  return JSON.stringify(sorted(plain(value)))
}

/** SHA-256 in hex. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Writes a file whole or not at all. */
export function writeAtomically(file: string, content: string): void {
  const temporary = `${file}.tmp`
  try {
    writeFileSync(temporary, content)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

export const writeJson = (file: string, value: unknown): void =>
  writeAtomically(file, `${JSON.stringify(plain(value), null, 2)}\n`)
