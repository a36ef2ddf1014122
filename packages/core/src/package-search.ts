import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
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

function packageFolderFrom(folder: string, name: string): string | undefined {
  for (const modules of moduleFolders(folder)) {
    const found = join(modules, name)
    if (existsSync(join(found, 'package.json'))) return realpathSync(found)
  }
  return undefined
}

/** What to import for a package: its name where core itself sees that copy, else the address of its entry file. */
export function importSpecifier(name: string, folder: string): string | undefined {
  for (const from of searchFolders(folder)) {
    const found = packageFolderFrom(from, name)
    if (found === undefined) continue
    return found === packageFolderFrom(coreFolder, name) ? name : pathToFileURL(entryOf(found)).href
  }
  return undefined
}

type Exports = string | null | undefined | readonly Exports[] | { readonly [condition: string]: Exports }

/** Node's rule for `exports` under the conditions of an import. */
function target(exports: Exports): string | undefined {
  if (typeof exports === 'string') return exports
  if (exports === null || exports === undefined) return undefined
  if (Array.isArray(exports)) return exports.map((one: Exports) => target(one)).find((one) => one !== undefined)
  for (const [condition, inner] of Object.entries(exports))
    if (['node', 'import', 'module-sync', 'default', '.'].includes(condition)) {
      const found = target(inner)
      if (found !== undefined) return found
    }
  return undefined
}

function entryOf(packageFolder: string): string {
  const manifest = readManifest(packageFolder)
  return join(packageFolder, target(manifest.exports as Exports) ?? (manifest.main as string | undefined) ?? 'index.js')
}

export function readManifest(packageFolder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Record<string, unknown>
}

const entries = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : [])

/** Names of the packages that are plugins by their name: `@collimate/<kind>-<name>` and `collimate-plugin-<name>`. */
export function installedPackages(folder: string, kinds: readonly PluginKind[]): string[] {
  const found = new Set<string>()
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
