import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pluginsIn, type Plugin } from '@collimate/core'
import { suitesOfModule, unboundClaims, type LawSuite } from '@collimate/laws'

/** The folders of plugins below `folder`, from the file system: a new one is seen without being listed anywhere. */
export function pluginFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'package.json')))
    .map((entry) => join(folder, entry.name))
    .sort()
}

type Exports = Readonly<Record<string, { readonly '@collimate/source'?: string } | string | undefined>>

/** Imports what a package of the repository exports, from its source; undefined where it exports nothing there. */
async function importSource(folder: string, subpath: string): Promise<unknown> {
  const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports?: Exports }
  const target = exports[subpath]
  const file = typeof target === 'string' ? target : target?.['@collimate/source']
  if (file === undefined || !existsSync(join(folder, file))) return undefined
  return (await import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href)) as unknown
}

/** The suites of a plugin's folder; an error that says what to write where it has none. */
export async function suitesOfFolder(folder: string): Promise<readonly LawSuite[]> {
  const module = await importSource(folder, './laws')
  if (module === undefined)
    throw new Error(
      `plugins/${basename(folder)} has no laws: write src/laws.ts and export it as "./laws" in its package.json (see docs/writing-a-plugin.md)`,
    )
  return suitesOfModule(module, `plugins/${basename(folder)}`)
}

/** The plugins that a folder exports. */
export async function pluginsOfFolder(folder: string): Promise<readonly Plugin[]> {
  return pluginsIn((await importSource(folder, '.')) ?? {})
}

/** What the manifests of a folder's plugins claim and none of its suites was given. */
export async function claimsWithoutSuite(folder: string): Promise<string[]> {
  return unboundClaims(await pluginsOfFolder(folder), await suitesOfFolder(folder))
}
