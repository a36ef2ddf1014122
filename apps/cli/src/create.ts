import { transformer } from '@collimate/policy-transformer'
import onnx from '@collimate/backend-onnx'
import { parsePluginOptions, standaloneContext } from '@collimate/core'
import type { Backend, Plugin, PluginKind, PluginKinds, Policy, StandaloneOptions } from '@collimate/core'

/** Options of `--device` and `--threads`. */
export interface DeviceOptions {
  readonly device?: string
  readonly threads?: number
}

/** A backend by itself, outside of any experiment. */
export async function createBackend(options: DeviceOptions): Promise<Backend> {
  const { device, threads } = options
  return await create(onnx, { ...(device !== undefined && { device }), ...(threads !== undefined && { threads }) }, {})
}

/** A model folder as a policy, with the backend that it runs on; `close` frees both. */
export async function openPolicy(
  model: string,
  options: DeviceOptions,
): Promise<{ policy: Policy; close: () => Promise<void> }> {
  const backend = await createBackend(options)
  try {
    const policy = await create(transformer, { model }, { backend })
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

async function create<Kind extends PluginKind>(
  plugin: Plugin<Kind>,
  options: object,
  surroundings: StandaloneOptions,
): Promise<PluginKinds[Kind]> {
  const { context } = standaloneContext(surroundings)
  return await plugin.definition.create(parsePluginOptions(plugin, options), context)
}
