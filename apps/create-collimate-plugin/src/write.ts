import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Files } from './render.js'
import { UsageError } from './usage-error.js'

/** Writes files into a new or empty folder (COLLIMATE_OUTPUT_OCCUPIED where it is neither). */
export function writeFiles(folder: string, files: Files): void {
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).some((name) => name !== '.git')))
    throw new UsageError(
      'COLLIMATE_OUTPUT_OCCUPIED',
      `${folder} is there already, and not an empty folder`,
      'choose another name, or another --folder',
    )
  for (const [path, content] of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}
