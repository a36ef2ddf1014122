import interpreter from '@collimate/backend-interpreter'
import onnx, { devices as onnxDevices, findSoftwareVulkan } from '@collimate/backend-onnx'
import tfjs, { devices as tfjsDevices } from '@collimate/backend-tfjs'
import { parsePluginOptions, standaloneContext, type Backend, type Plugin } from '@collimate/core'

/** A device of a backend. */
export interface Provider {
  /** As an experiment names it: `onnx webgpu`. */
  readonly name: string
  open(): Promise<Backend>
  /** Another environment, tried where the provider does not start in that of the machine. */
  readonly instead?: { readonly note: string; readonly environment: Readonly<Record<string, string>> }
}

const providerOf = (
  plugin: Plugin<'backend'>,
  settings: { readonly device?: string; readonly precision?: string } = {},
): Provider => ({
  name: [plugin.definition.name, ...Object.values(settings)].join(' '),
  open: async () => {
    const options = parsePluginOptions(plugin, settings)
    return await plugin.definition.create(options, standaloneContext({}).context)
  },
})

function withSoftwareVulkan(provider: Provider): Provider {
  const software = findSoftwareVulkan()
  if (provider.name !== 'onnx webgpu' || software === undefined) return provider
  return {
    ...provider,
    instead: { note: 'on SwiftShader, the software Vulkan of Chromium', environment: software.environment },
  }
}

/** Every device of every backend in the repository, whether this machine has it or not, and float16 where each machine has it. */
export const providers: readonly Provider[] = [
  providerOf(interpreter),
  ...onnxDevices.map((device) => withSoftwareVulkan(providerOf(onnx, { device }))),
  providerOf(onnx, { device: 'cpu', precision: 'float16' }),
  ...tfjsDevices.map((device) => providerOf(tfjs, { device })),
]
