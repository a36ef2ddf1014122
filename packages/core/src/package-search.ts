import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { CollimateError } from './errors.js'
import type { PluginKind } from './plugin.js'

const coreFolder = dirname(fileURLToPath(import.meta.url))

/** The node_modules folders that a file in `folder` sees, nearest first. */
function* moduleFolders(folder: string): Generator<string> {
  for (let here = folder; ; here = dirname(here)) {
    const modules = join(here, 'node_modules')
    if (existsSync(modules)) yield modules
    if (dirname(here) === here) return
  }
}

/** Folders from which plugins are looked for: the experiment's, core's own, and that of the program that runs. */
function searchFolders(folder: string): string[] {
  const program = process.argv[1]
  return [folder, coreFolder, ...(program && existsSync(program) ? [dirname(realpathSync(program))] : [])]
}

/** The package that a file in `folder` belongs to: what a plugin's own examples may name, as in Node. */
function ownPackage(folder: string): { readonly folder: string; readonly name: unknown } | undefined {
  for (let here = folder; ; here = dirname(here)) {
    if (existsSync(join(here, 'package.json'))) {
      try {
        return { folder: realpathSync(here), name: readManifest(here).name }
      } catch {
        return undefined
      }
    }
    if (dirname(here) === here) return undefined
  }
}

function packageFolderFrom(folder: string, name: string): string | undefined {
  const own = ownPackage(folder)
  if (own?.name === name) return own.folder
  for (const modules of moduleFolders(folder)) {
    const found = join(modules, name)
    if (existsSync(join(found, 'package.json'))) return realpathSync(found)
  }
  return undefined
}

/** The folder of the package that a file in `folder` means by `name`; undefined where it is not installed. */
function packageFolder(name: string, folder: string): string | undefined {
  for (const from of searchFolders(folder)) {
    const found = packageFolderFrom(from, name)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * What to import for a package: its name where core itself sees that copy, else the address of its entry file. With a
 * `subpath` such as `./laws`, the same for that export; undefined where the package is not installed or lacks it.
 */
export function importSpecifier(name: string, folder: string, subpath = '.'): string | undefined {
  const found = packageFolder(name, folder)
  const entry = found === undefined ? undefined : entryOf(found, subpath)
  if (found === undefined || entry === undefined) return undefined
  if (found !== packageFolderFrom(coreFolder, name) && !existsSync(entry))
    throw new CollimateError('COLLIMATE_PLUGIN_LOAD_FAILED', `${name} has no file ${entry}`, {
      hint: 'build the package, or install it again',
    })
  return found === packageFolderFrom(coreFolder, name) ? name + subpath.slice(1) : pathToFileURL(entry).href
}

type Exports = string | null | undefined | readonly Exports[] | { readonly [condition: string]: Exports }

/** Node's rule for `exports` under the conditions of an import. */
function target(exports: Exports): string | undefined {
  if (typeof exports === 'string') return exports
  if (exports === null || exports === undefined) return undefined
  if (Array.isArray(exports)) return exports.map((one: Exports) => target(one)).find((one) => one !== undefined)
  for (const [condition, inner] of Object.entries(exports))
    if (['node', 'import', 'module-sync', 'default'].includes(condition)) {
      const found = target(inner)
      if (found !== undefined) return found
    }
  return undefined
}

/** The file that a package exports under a subpath; undefined where it exports nothing there. */
export function entryOf(packageFolder: string, subpath = '.'): string | undefined {
  const { exports, main } = readManifest(packageFolder)
  const bySubpath =
    typeof exports === 'object' && exports !== null && Object.keys(exports).some((key) => key.startsWith('.'))
  const given = bySubpath ? (exports as Record<string, Exports>)[subpath] : subpath === '.' ? exports : undefined
  const file = target(given as Exports) ?? (subpath === '.' ? ((main as string | undefined) ?? 'index.js') : undefined)
  return file === undefined ? undefined : join(packageFolder, file)
}

export function readManifest(packageFolder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Record<string, unknown>
}

const entries = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : [])

/**
 * Names of the packages that are plugins by their name, `@collimate/<kind>-<name>` and `collimate-plugin-<name>`: installed,
 * or the one that `folder` belongs to, once it is built.
 */
export function installedPackages(folder: string, kinds: readonly PluginKind[]): string[] {
  const found = new Set<string>()
  const own = ownPackage(folder)
  if (typeof own?.name === 'string' && /^(@[^/]+\/)?collimate-plugin-/.test(own.name)) {
    const entry = entryOf(own.folder)
    if (entry !== undefined && existsSync(entry)) found.add(own.name)
  }
  for (const from of searchFolders(folder))
    for (const modules of moduleFolders(from)) {
      for (const name of entries(join(modules, '@collimate')))
        if (kinds.some((kind) => name.startsWith(`${kind}-`))) found.add(`@collimate/${name}`)
      for (const name of entries(modules)) {
        if (name.startsWith('collimate-plugin-')) found.add(name)
        if (name.startsWith('@') && name !== '@collimate')
          for (const inner of entries(join(modules, name)))
            if (inner.startsWith('collimate-plugin-')) found.add(`${name}/${inner}`)
      }
    }
  return [...found].sort()
}
