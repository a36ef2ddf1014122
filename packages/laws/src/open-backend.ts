import { loadPlugin, parsePluginOptions, standaloneContext, type Backend } from '@collimate/core'

/**
 * A backend by the name that an experiment gives it, for laws of what computes on one: a plugin may not import another.
 * `interpreter` is exact (float64), `onnx` is what people train with (float32).
 *
 * @throws CollimateError COLLIMATE_PLUGIN_UNKNOWN where it is not installed, seen from `folder`.
 */
export async function openBackend(
  use: string,
  options: Readonly<Record<string, unknown>> = {},
  folder = process.cwd(),
): Promise<Backend> {
  const plugin = await loadPlugin('backend', use, folder)
  const { context } = standaloneContext({ folder })
  return (await plugin.definition.create(parsePluginOptions(plugin, options), context)) as Backend
}
