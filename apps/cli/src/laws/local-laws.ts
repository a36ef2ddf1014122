import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { CollimateError, importFile, packageEntry } from '@collimate/core'

/** Extensions of sources, in the order in which they are looked for. */
const extensions = ['ts', 'mts', 'js', 'mjs'] as const

/** The files that hold the laws of a local plugin and, where it is known, the plugin itself. */
export interface LocalFiles {
  readonly laws: string
  readonly plugin?: string
}

/**
 * Where a path's laws are. Of a folder: `src/laws.ts` or `laws.ts` (or .js), else what its package.json exports as `./laws`.
 * Of a plugin file `my-reward.ts`: `my-reward.laws.ts` beside it, else `laws.ts`; a file of such a name is the laws itself.
 */
export function localFiles(path: string, folder: string): LocalFiles {
  const place = resolve(folder, path)
  if (!existsSync(place)) throw new CollimateError('COLLIMATE_PLUGIN_UNKNOWN', `there is no file or folder ${place}`)
  return statSync(place).isDirectory() ? ofFolder(place) : ofFile(place)
}

function ofFolder(place: string): LocalFiles {
  const source = (stem: string): string | undefined => first(join(place, 'src', stem)) ?? first(join(place, stem))
  const laws = source('laws') ?? packageEntry(place, './laws')
  if (laws === undefined || !existsSync(laws))
    throw missing(place, 'write src/laws.ts; docs/writing-a-plugin.md shows how')
  const plugin = source('index') ?? packageEntry(place, '.')
  return { laws, ...(plugin !== undefined && existsSync(plugin) && { plugin }) }
}

function ofFile(file: string): LocalFiles {
  const name = basename(file)
  if (/^(.+\.)?laws\.[mc]?[jt]s$/.test(name)) {
    const plugin = name.startsWith('laws.') ? undefined : first(file.replace(/\.laws\.[mc]?[jt]s$/, ''))
    return { laws: file, ...(plugin !== undefined && { plugin }) }
  }
  const stem = file.replace(/\.[mc]?[jt]s$/, '')
  const laws = first(`${stem}.laws`) ?? first(join(dirname(file), 'laws'))
  if (laws === undefined) throw missing(file, `write ${basename(stem)}.laws.ts beside it`)
  return { laws, plugin: file }
}

const first = (stem: string): string | undefined =>
  extensions.map((extension) => `${stem}.${extension}`).find((file) => existsSync(file))

const missing = (place: string, hint: string): CollimateError =>
  new CollimateError('COLLIMATE_LAWS_MISSING', `${place} has no laws`, { hint })

/** Imports a source or a built file. */
export const importLocal = (file: string): Promise<unknown> => importFile(file, dirname(file))
