import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isSystemError, writeError } from './file-errors.js'

const unique = (): string => `${process.pid}-${randomBytes(4).toString('hex')}`

/**
 * Writes a file that appears complete or not at all: into a temporary file beside it, flushed, then renamed.
 *
 * @throws CollimateError COLLIMATE_FILE_UNWRITABLE
 */
export async function writeFileAtomically(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${file}.${unique()}.tmp`
  try {
    const handle = await open(temporary, 'wx')
    try {
      await write(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw writeError(file, error)
  }
}

/**
 * Fills a folder with new files, all or none: `write` writes them into a temporary folder, from where they are moved in.
 * Files of an existing folder that `owned` names are replaced or, where there is no new one, removed; the others stay.
 *
 * @throws CollimateError COLLIMATE_FILE_UNWRITABLE; the folder is then as it was before
 */
export async function replaceFolder(
  folder: string,
  owned: (name: string) => boolean,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(folder)
  let created: string | undefined
  let temporary: string | undefined
  try {
    const exists = await isFolder(target)
    if (!exists) created = await mkdir(dirname(target), { recursive: true })
    // Inside an existing folder, so that it is surely on the same file system; beside one that is yet to come.
    const candidate = exists ? join(target, `.saving-${unique()}`) : `${target}.saving-${unique()}`
    await mkdir(candidate)
    temporary = candidate
    await write(temporary)
    if (exists) await moveIn(temporary, target, owned)
    else await rename(temporary, target)
  } catch (error) {
    if (temporary) await rm(temporary, { recursive: true, force: true })
    if (created) await removeEmptyFolders(dirname(target), created)
    throw writeError(folder, error)
  }
  await rm(temporary, { recursive: true, force: true })
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return false
    throw error
  }
  throw Object.assign(new Error(`${path} is a file`), { code: 'ENOTDIR', syscall: 'stat' })
}

/** Moves the new files in and the replaced ones out, and undoes the moves when one fails. */
async function moveIn(temporary: string, target: string, owned: (name: string) => boolean): Promise<void> {
  const fresh = await readdir(temporary)
  const replaced = (await readdir(target)).filter((name) => fresh.includes(name) || owned(name))
  const old = join(temporary, 'replaced')
  await mkdir(old)
  const moves = [
    ...replaced.map((name) => ({ from: join(target, name), to: join(old, name) })),
    ...fresh.map((name) => ({ from: join(temporary, name), to: join(target, name) })),
  ]
  const done: typeof moves = []
  try {
    for (const move of moves) {
      await rename(move.from, move.to)
      done.push(move)
    }
  } catch (error) {
    for (const move of done.reverse()) await rename(move.to, move.from)
    throw error
  }
}

/** Removes folders that are empty, from `deepest` up to `highest`. */
async function removeEmptyFolders(deepest: string, highest: string): Promise<void> {
  for (let folder = deepest; folder.length >= highest.length; folder = dirname(folder)) {
    try {
      await rmdir(folder)
    } catch {
      return // not empty: somebody else uses it
    }
  }
}
