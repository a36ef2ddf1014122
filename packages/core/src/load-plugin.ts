import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isPlugin } from './define-plugin.js'
import { CollimateError } from './errors.js'
import { suggestion } from './nearest.js'
import { importSpecifier, installedPackages } from './package-search.js'
import type { Plugin, PluginKind } from './plugin.js'

const isTypeScript = (file: string): boolean => /\.[mc]?ts$/.test(file)

/** Whether `use` names a file: `./my-plugin.ts`, `../x.js`, an absolute path. */
export const isLocalFile = (use: string): boolean => /^\.{1,2}[\\/]/.test(use) || isAbsolute(use)

const isPackageName = (use: string): boolean => use.startsWith('@') || use.startsWith('collimate-plugin-')

/**
 * Finds a plugin by what an experiment says in `use`: a short name means `@collimate/<kind>-<name>`, `collimate-plugin-x`
 * that package, `./my-plugin.ts` or `.js` a file relative to `folder`. Packages are looked for from `folder` first.
 */
export async function loadPlugin(kind: PluginKind, use: string, folder: string): Promise<Plugin> {
  if (isLocalFile(use)) return ofKind(kind, pluginsIn(await importFile(use, folder)), use)
  const name = isPackageName(use) ? use : `@collimate/${kind}-${use}`
  const plugins = await loadPackagePlugins(name, folder)
  if (plugins === undefined) throw unknown(kind, use, name, folder)
  return ofKind(kind, plugins, use)
}

/** The plugins that an installed package exports; undefined where it is not installed. */
export async function loadPackagePlugins(name: string, folder: string): Promise<readonly Plugin[] | undefined> {
  const specifier = importSpecifier(name, folder)
  return specifier === undefined ? undefined : pluginsIn(await importPackage(specifier, name))
}

/**
 * What an installed package exports under a subpath such as `./laws`; undefined where it is not installed or has no such
 * export. Packages are looked for from `folder` first.
 */
export async function importExport(name: string, subpath: string, folder: string): Promise<unknown> {
  const specifier = importSpecifier(name, folder, subpath)
  return specifier === undefined ? undefined : await importPackage(specifier, name + subpath.slice(1))
}

/** Imports a .js or .ts file; `use` is its path, relative to `folder` or absolute. */
export async function importFile(use: string, folder: string): Promise<unknown> {
  const file = resolve(folder, use)
  if (!existsSync(file))
    throw new CollimateError('COLLIMATE_PLUGIN_UNKNOWN', `there is no plugin file ${file}`, {
      hint: 'paths of plugins are relative to the experiment file',
    })
  const address = pathToFileURL(file).href
  try {
    if (!isTypeScript(file)) return await import(/* @vite-ignore */ address)
    const { tsImport } = await import('tsx/esm/api')
    return await tsImport(address, import.meta.url)
  } catch (error) {
    throw loadFailure(error, use)
  }
}

async function importPackage(specifier: string, name: string): Promise<unknown> {
  try {
    return await import(/* @vite-ignore */ specifier)
  } catch (error) {
    throw loadFailure(error, name)
  }
}

/** Plugins among the exports of a module, the default export first. */
export function pluginsIn(module: unknown): readonly Plugin[] {
  const exported = module as { default?: { default?: unknown } & Record<string, unknown> }
  // A TypeScript file in a CommonJS folder has its exports one level deeper.
  const values = [exported.default, exported.default?.default, ...Object.values(exported)]
  return [...new Set(values.filter(isPlugin))]
}

function ofKind(kind: PluginKind, plugins: readonly Plugin[], use: string): Plugin {
  const found = plugins.find(({ definition }) => definition.kind === kind)
  if (found) return found
  if (plugins.length > 0) throw wrongKind(plugins[0], kind)
  throw new CollimateError('COLLIMATE_PLUGIN_INVALID', `"${use}" does not export a plugin`, {
    hint: 'export default definePlugin({ ... })',
  })
}

export function wrongKind({ definition }: Plugin, kind: PluginKind): CollimateError {
  return new CollimateError(
    'COLLIMATE_PLUGIN_KIND',
    `plugin "${definition.name}" is of kind "${definition.kind}", but a "${kind}" is needed here`,
  )
}

function loadFailure(error: unknown, use: string): CollimateError {
  const message = error instanceof Error ? error.message : String(error)
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1]
  if (missing !== undefined)
    return new CollimateError(
      'COLLIMATE_PLUGIN_DEPENDENCY_MISSING',
      `"${use}" needs "${missing}", which is not there`,
      {
        hint: /^[./]|^file:/.test(missing) ? 'check the path in its import' : `npm install ${missing}`,
        cause: error,
      },
    )
  if (error instanceof CollimateError) return error
  return new CollimateError('COLLIMATE_PLUGIN_LOAD_FAILED', `"${use}" cannot be loaded: ${message}`, {
    cause: error,
  })
}

function unknown(kind: PluginKind, use: string, name: string, folder: string): CollimateError {
  const prefix = `@collimate/${kind}-`
  const known = installedPackages(folder, [kind]).map((found) =>
    found.startsWith(prefix) ? found.slice(prefix.length) : found,
  )
  return new CollimateError(
    'COLLIMATE_PLUGIN_UNKNOWN',
    `no ${kind} is called "${use}" (package ${name} is not installed)`,
    {
      hint: suggestion(use, known, `installed plugin of kind "${kind}"`),
    },
  )
}
