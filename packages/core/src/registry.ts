import { pluginKinds } from './define-plugin.js'
import { CollimateError } from './errors.js'
import { loadPackagePlugins, loadPlugin, wrongKind } from './load-plugin.js'
import { installedPackages } from './package-search.js'
import { parseOptions } from './parse-options.js'
import type { Plugin, PluginKind, PluginUse } from './plugin.js'
import { satisfies } from './semver.js'
import { coreVersion } from './version.js'

/** How an experiment names a plugin: `dpo`, `{ use: dpo, beta: 0.1 }`, or in TypeScript `dpo({ beta: 0.1 })`. */
export type PluginEntry<Kind extends PluginKind = PluginKind> =
  string | PluginUse<Kind> | { readonly use: string; readonly [option: string]: unknown }

/** A plugin of an experiment with its parsed options, defaults filled in. */
export interface ResolvedPlugin<Kind extends PluginKind = PluginKind> {
  /** As the experiment says it: what a saved config repeats. */
  readonly use: string
  readonly plugin: Plugin<Kind>
  readonly options: Readonly<Record<string, unknown>>
}

/** The plugins that an experiment can name. */
export interface Registry {
  /**
   * Takes a plugin in, and those that it brings. Refused: a plugin for another core
   * (COLLIMATE_PLUGIN_ENGINE_MISMATCH), a second one of the same kind and name (COLLIMATE_PLUGIN_DUPLICATE).
   */
  register(plugin: Plugin): void
  get<Kind extends PluginKind>(kind: Kind, name: string): Plugin<Kind> | undefined
  list(kind?: PluginKind): readonly Plugin[]
  /** Finds and loads what an entry names, and parses its options. */
  resolve<Kind extends PluginKind>(kind: Kind, entry: PluginEntry<Kind>, folder: string): Promise<ResolvedPlugin<Kind>>
}

export function createRegistry(plugins: readonly Plugin[] = []): Registry {
  const registered = new Map<string, Plugin>()
  const loaded = new Map<string, Plugin>()

  function register(plugin: Plugin): void {
    const { kind, name, version, engine, brings = [] } = plugin.definition
    const key = `${kind}/${name}`
    const present = registered.get(key)
    // Two copies of one version are one plugin: a TypeScript file loads its own.
    if (present && (present === plugin || present.definition.version === version)) return
    if (!satisfies(coreVersion, engine))
      throw new CollimateError(
        'COLLIMATE_PLUGIN_ENGINE_MISMATCH',
        `${kind} "${name}" ${version} works with @collimate/core ${engine}; this is ${coreVersion}`,
        { hint: 'install versions that fit together' },
      )
    if (present)
      throw new CollimateError(
        'COLLIMATE_PLUGIN_DUPLICATE',
        `two plugins are called ${kind} "${name}": ${present.definition.version} and ${version}`,
        { hint: 'remove or rename one of them' },
      )
    registered.set(key, plugin)
    for (const brought of brings) register(brought)
  }

  async function find(kind: PluginKind, use: string, folder: string): Promise<Plugin> {
    const present = registered.get(`${kind}/${use}`)
    if (present) return present
    const key = `${kind} ${use} ${folder}`
    const plugin = loaded.get(key) ?? (await loadPlugin(kind, use, folder))
    loaded.set(key, plugin)
    return plugin
  }

  async function resolve(kind: PluginKind, entry: PluginEntry, folder: string): Promise<ResolvedPlugin> {
    const { use, options, plugin: given } = split(kind, entry)
    const plugin = given ?? (await find(kind, use, folder))
    if (plugin.definition.kind !== kind) throw wrongKind(plugin, kind)
    register(plugin)
    return { use, plugin, options: parsePluginOptions(plugin, options) }
  }

  plugins.forEach(register)
  return {
    register,
    get: <Kind extends PluginKind>(kind: Kind, name: string) =>
      registered.get(`${kind}/${name}`) as Plugin<Kind> | undefined,
    list: (kind) => [...registered.values()].filter(({ definition }) => kind === undefined || definition.kind === kind),
    resolve: resolve as Registry['resolve'],
  }
}

/** Options with defaults filled in; errors name the plugin. */
export function parsePluginOptions({ definition }: Plugin, options: unknown): Readonly<Record<string, unknown>> {
  const parsed: unknown = parseOptions(`${definition.kind} "${definition.name}"`, definition.options, options)
  return parsed as Record<string, unknown>
}

function split(kind: PluginKind, entry: PluginEntry) {
  if (typeof entry === 'string') return { use: entry, options: {} }
  if (isPluginUse(entry)) return { use: entry.plugin.definition.name, options: entry.options, plugin: entry.plugin }
  const { use, ...options } = entry
  if (typeof use !== 'string' || use === '')
    throw new CollimateError('COLLIMATE_OPTION_MISSING', `${kind}: "use" says which plugin, and it is missing`, {
      hint: `${kind}: { use: name, option: value }`,
    })
  return { use, options }
}

export const isPluginUse = (entry: unknown): entry is PluginUse =>
  typeof entry === 'object' && entry !== null && 'plugin' in entry && typeof entry.plugin === 'function'

/** A plugin of an installed package, loaded but not created; `error` says why a package gave none. */
export interface InstalledPlugin {
  readonly package: string
  readonly plugin?: Plugin
  readonly error?: unknown
}

/** The plugins that can be named from `folder`, official and community, with their metadata. */
export async function listInstalledPlugins(folder: string = process.cwd()): Promise<InstalledPlugin[]> {
  const found: InstalledPlugin[] = []
  for (const name of installedPackages(folder, pluginKinds)) {
    try {
      for (const plugin of (await loadPackagePlugins(name, folder)) ?? []) found.push({ package: name, plugin })
    } catch (error) {
      found.push({ package: name, error })
    }
  }
  return found
}
