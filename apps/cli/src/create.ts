import { transformer } from '@collimate/policy-transformer'
import { createRegistry, parsePluginOptions, standaloneContext } from '@collimate/core'
import type { Backend, Policy } from '@collimate/core'
import { backendEntry } from './backend-flags.js'
import type { BackendOptions } from './backend-flags.js'

/** A backend by itself, outside of any experiment. */
export async function createBackend(options: BackendOptions): Promise<Backend> {
  const { plugin, options: parsed } = await createRegistry().resolve('backend', backendEntry(options), process.cwd())
  return await plugin.definition.create(parsed, standaloneContext().context)
}

/** A model folder as a policy, with the backend that it runs on; `close` frees both. */
export async function openPolicy(
  model: string,
  options: BackendOptions,
): Promise<{ policy: Policy; close: () => Promise<void> }> {
  const backend = await createBackend(options)
  try {
    const { context } = standaloneContext({ backend })
    const policy = await transformer.definition.create(parsePluginOptions(transformer, { model }), context)
    return {
      policy,
      close: async () => {
        await policy.close()
        await backend.close()
      },
    }
  } catch (error) {
    await backend.close()
    throw error
  }
}
