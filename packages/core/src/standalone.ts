import { pluginContext } from './assemble.js'
import { createClosing } from './closing.js'
import type { Backend } from './contracts/backend.js'
import { backendVerbs } from './contracts/backend.js'
import { createBus } from './create-bus.js'
import type { Plugin, PluginContext } from './plugin.js'
import { createRegistry } from './registry.js'
import { serve } from './serve.js'

export interface StandaloneOptions {
  /** Folder that paths are relative to; default the current one. */
  readonly folder?: string
  /** Default 0. */
  readonly seed?: number
  readonly backend?: Backend
  /** Plugins that may be named beside those that are installed; what they bring, too. */
  readonly plugins?: readonly Plugin[]
}

/**
 * What a plugin is created with outside of an experiment: by commands, benchmarks and laws. `close` closes what plugins
 * made for themselves; a backend that was given stays open.
 */
export function standaloneContext(options: StandaloneOptions = {}): {
  readonly context: PluginContext
  close(): Promise<void>
} {
  const { folder = process.cwd(), seed = 0, backend, plugins = [] } = options
  const closing = createClosing()
  const bus = createBus()
  if (backend) serve<Backend, typeof backendVerbs>(bus, 'backend', backend, backendVerbs)
  const registry = createRegistry(plugins)
  const { signal } = new AbortController()
  const context = pluginContext({ folder, seed }, { bus, registry, closing, signal })
  const { backend: handle, ...rest } = context
  return {
    context: backend && handle ? context : rest,
    async close() {
      const [failure] = await closing.close()
      if (failure !== undefined) throw failure
    },
  }
}
