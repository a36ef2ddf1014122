import { existsSync, mkdtempSync, readdirSync, realpathSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CollimateError } from './errors.js'

const isFolder = (path: string): boolean => statSync(path).isDirectory()

/** Refuses a folder that could not be written to, without leaving anything behind (COLLIMATE_OUTPUT_NOT_WRITABLE). */
export function assertWritable(folder: string, what: string): void {
  let there = folder
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  const refuse = (reason: string, cause?: unknown): CollimateError =>
    new CollimateError('COLLIMATE_OUTPUT_NOT_WRITABLE', `${what} ${folder} cannot be written: ${reason}`, {
      hint: 'choose another folder',
      cause,
    })
  if (!isFolder(there)) throw refuse(`${there} is a file`)
  try {
    rmdirSync(mkdtempSync(join(there, '.collimate-')))
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error)
  }
}

/**
 * Refuses a folder that holds something else than what `mark` (a file name) says we put there, or `ours`, the name of a
 * folder that is known to be ours.
 */
export function assertOurs(folder: string, mark: string, what: string, ours?: string): void {
  if (!existsSync(folder) || existsSync(join(folder, mark))) return
  if (readdirSync(folder).every((name) => name === ours)) return
  throw new CollimateError('COLLIMATE_OUTPUT_OCCUPIED', `${what} ${folder} holds other files (no ${mark})`, {
    hint: 'choose another folder, or empty this one',
  })
}

/** Path without symbolic links, as far as it exists. */
export function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  return dirname(path) === path ? path : join(realPath(dirname(path)), path.slice(dirname(path).length))
}

export interface InputFile {
  readonly path: string
  readonly size: number
  readonly modified: number
}

/**
 * The files that options name: every string in them that is the path of a file, or of a folder, whose files are meant.
 * Size and time of each are part of what makes a run the same.
 */
export function inputFiles(options: unknown, folder: string): InputFile[] {
  const found = new Map<string, InputFile>()
  const add = (path: string): void => {
    const { size, mtimeMs } = statSync(path)
    found.set(path, { path, size, modified: mtimeMs })
  }
  const visit = (value: unknown): void => {
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) Object.values(value).forEach(visit)
    if (typeof value !== 'string' || value === '' || value.length > 1000 || value.includes('\0')) return
    const path = resolve(folder, value)
    if (!existsSync(path)) return
    if (!isFolder(path)) return add(path)
    for (const name of readdirSync(path)) {
      const inner = join(path, name)
      if (existsSync(inner) && !isFolder(inner)) add(inner)
    }
  }
  visit(options)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}
