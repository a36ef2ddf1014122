import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { CollimateError, importExport, isLocalFile, listInstalledPlugins, pluginsIn, suggestion } from '@collimate/core'
import type { InstalledPlugin, Plugin } from '@collimate/core'
import { suitesOfModule, unboundClaims } from '@collimate/laws'
import type { LawSuite } from '@collimate/laws'
import ownLaws from '@collimate/laws/laws'
import { usageError } from '../failure.js'
import { importLocal, localFiles } from './local-laws.js'

/** The laws of one package or local plugin. */
export interface LawBook {
  /** Name of the package without `@collimate/`, or the path as it was given. */
  readonly name: string
  readonly suites: readonly LawSuite[]
  /** Capabilities of its manifest that no suite was given. */
  readonly unbound: readonly string[]
}

/** What there is to check, and what could not be. */
export interface Library {
  readonly books: readonly LawBook[]
  /** Installed packages that export no laws. */
  readonly lawless: readonly string[]
  readonly broken: readonly { readonly package: string; readonly error: unknown }[]
}

const own = 'laws'
const short = (name: string): string => name.replace(/^@collimate\//, '')

/** The laws of what is named: packages, plugins, paths; without names of everything that is installed. */
export async function openLibrary(names: readonly string[], folder = process.cwd()): Promise<Library> {
  if (names.length === 0) return everything(folder)
  const books: LawBook[] = []
  let installed: readonly InstalledPlugin[] | undefined
  for (const name of names) {
    if (isLocalFile(name) || /^\.{1,2}$/.test(name)) {
      books.push(await localBook(name, folder))
      continue
    }
    if (short(name) === own) {
      books.push(await ownBook())
      continue
    }
    installed ??= await listInstalledPlugins(folder)
    const packages = [...new Set(installed.filter((one) => answersTo(one, name)).map((one) => one.package))]
    if (packages.length === 0) {
      if (!existsSync(resolve(folder, name))) throw unknown(name, installed)
      books.push(await localBook(name, folder))
    }
    for (const found of packages) books.push(await packageBook(found, installed, folder))
  }
  return { books: unique(books), lawless: [], broken: [] }
}

async function everything(folder: string): Promise<Library> {
  const installed = await listInstalledPlugins(folder)
  const books = [await ownBook()]
  const lawless: string[] = []
  const broken: { package: string; error: unknown }[] = []
  for (const name of new Set(installed.map((one) => one.package))) {
    try {
      books.push(await packageBook(name, installed, folder))
    } catch (error) {
      if (error instanceof CollimateError && error.code === 'COLLIMATE_LAWS_MISSING') lawless.push(short(name))
      else broken.push({ package: name, error })
    }
  }
  return { books, lawless, broken }
}

async function ownBook(): Promise<LawBook> {
  return { name: own, suites: await ownLaws(), unbound: [] }
}

async function packageBook(name: string, installed: readonly InstalledPlugin[], folder: string): Promise<LawBook> {
  const ofPackage = installed.filter((one) => one.package === name)
  const failure = ofPackage.find(({ error }) => error !== undefined)
  if (failure !== undefined) throw failure.error
  const module = await importExport(name, './laws', folder)
  if (module === undefined)
    throw new CollimateError('COLLIMATE_LAWS_MISSING', `${name} has no laws`, {
      hint: 'ask its author for an export `./laws`; docs/writing-a-plugin.md shows how',
    })
  return book(
    short(name),
    module,
    ofPackage.flatMap(({ plugin }) => plugin ?? []),
  )
}

async function localBook(path: string, folder: string): Promise<LawBook> {
  const files = localFiles(path, folder)
  const plugins = files.plugin === undefined ? [] : pluginsIn(await importLocal(files.plugin))
  return book(path, await importLocal(files.laws), plugins)
}

async function book(name: string, module: unknown, plugins: readonly Plugin[]): Promise<LawBook> {
  const suites = await suitesOfModule(module, name)
  return { name, suites, unbound: unboundClaims(plugins, suites) }
}

const withBrought = (plugin: Plugin): Plugin[] => [plugin, ...(plugin.definition.brings ?? []).flatMap(withBrought)]

const answersTo = (installed: InstalledPlugin, name: string): boolean =>
  installed.package === name ||
  short(installed.package) === name ||
  (installed.plugin !== undefined &&
    withBrought(installed.plugin).some(
      ({ definition }) => definition.name === name || namedByKind(definition) === name,
    ))

const namedByKind = ({ kind, name }: Plugin['definition']): string => `${kind}-${name}`

function unknown(name: string, installed: readonly InstalledPlugin[]): CollimateError {
  const known = [...new Set([own, ...installed.map((one) => short(one.package))])]
  return usageError(`there is no plugin ${JSON.stringify(name)}`, suggestion(name, known, 'installed'))
}

const unique = (books: readonly LawBook[]): LawBook[] => [...new Map(books.map((one) => [one.name, one])).values()]
