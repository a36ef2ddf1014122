import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CollimateError } from '@collimate/core'

/**
 * Refuses a file that could not be written, before anything is computed for it; writes nothing.
 *
 * @throws CollimateError COLLIMATE_OUTPUT_NOT_WRITABLE
 */
export function assertWritableFile(file: string): void {
  const path = resolve(file)
  if (existsSync(path) && statSync(path).isDirectory()) throw notWritable(path, 'it is a folder')
  let there = dirname(path)
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  if (!statSync(there).isDirectory()) throw notWritable(path, `${there} is a file`)
  try {
    accessSync(there, constants.W_OK)
  } catch (error) {
    throw notWritable(path, error)
  }
}

/** Writes a file whole or not at all; its folder is made. */
export function writeWhole(file: string, content: string): void {
  const path = resolve(file)
  const temporary = `${path}.tmp`
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(temporary, content)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw notWritable(path, error)
  }
}

function notWritable(path: string, reason: unknown): CollimateError {
  const text = reason instanceof Error ? reason.message : String(reason)
  return new CollimateError('COLLIMATE_OUTPUT_NOT_WRITABLE', `${path} cannot be written: ${text}`, {
    hint: 'choose another place',
    cause: reason,
  })
}
