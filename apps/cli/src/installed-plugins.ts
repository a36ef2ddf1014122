import { listInstalledPlugins } from '@collimate/core'
import type { Plugin } from '@collimate/core'

/** A package that looks like a plugin and gave none. */
export interface BrokenPackage {
  readonly package: string
  readonly error: unknown
}

/** What can be named from the working folder: plugins of installed packages with those that they bring, and what failed. */
export async function installedPlugins(): Promise<{ plugins: readonly Plugin[]; broken: readonly BrokenPackage[] }> {
  const plugins = new Set<Plugin>()
  const broken: BrokenPackage[] = []
  const add = (plugin: Plugin): void => {
    plugins.add(plugin)
    for (const brought of plugin.definition.brings ?? []) add(brought)
  }
  for (const installed of await listInstalledPlugins()) {
    if (installed.plugin !== undefined) add(installed.plugin)
    else broken.push({ package: installed.package, error: installed.error })
  }
  return { plugins: [...plugins], broken }
}
