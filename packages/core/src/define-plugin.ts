import type { z } from 'zod'
import { CollimateError } from './errors.js'
import type { Plugin, PluginDefinition, PluginKind } from './plugin.js'
import { isRange, isVersion } from './semver.js'

/** The kinds of plugin, in the order in which `collimate plugins` lists them. */
export const pluginKinds = [
  'backend',
  'policy',
  'reward',
  'estimator',
  'objective',
  'trainer',
  'data',
  'evaluator',
  'tracker',
] as const satisfies readonly PluginKind[]

/**
 * Makes a plugin of its definition. A definition that no registry could take is refused here, where its author sees it
 * (COLLIMATE_PLUGIN_INVALID).
 */
export function definePlugin<Kind extends PluginKind, Options extends z.ZodType>(
  definition: PluginDefinition<Kind, Options>,
): Plugin<Kind, z.input<Options>> {
  const refuse = (field: string, expected: string): never => {
    throw new CollimateError(
      'COLLIMATE_PLUGIN_INVALID',
      `plugin ${JSON.stringify(definition.name)}: ${field} is ${JSON.stringify(definition[field as 'name'])}; expected ${expected}`,
    )
  }
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(definition.name)) refuse('name', 'lower case letters, digits and dashes')
  if (!isVersion(definition.version)) refuse('version', 'a semantic version such as 0.1.0')
  if (!isRange(definition.engine)) refuse('engine', 'a range of @collimate/core versions such as ^0.1.0')
  if (!(pluginKinds as readonly string[]).includes(definition.kind)) refuse('kind', `one of ${pluginKinds.join(', ')}`)
  if (definition.options?._zod?.def?.type !== 'object') refuse('options', 'a zod object schema')
  if (typeof definition.create !== 'function') refuse('create', 'a function')

  const frozen = Object.freeze({ ...definition, brings: Object.freeze([...(definition.brings ?? [])]) })
  const plugin: Plugin<Kind, z.input<Options>> = Object.assign(
    (options?: z.input<Options>) =>
      Object.freeze({ plugin: plugin as Plugin<Kind>, options: Object.freeze({ ...(options as object | undefined) }) }),
    { definition: frozen as unknown as PluginDefinition<Kind, z.ZodType> },
  )
  return Object.freeze(plugin)
}

/** Whether a value that a module exports is a plugin. Judged by shape: a plugin may come with its own copy of core. */
export function isPlugin(value: unknown): value is Plugin {
  const definition = typeof value === 'function' && 'definition' in value ? value.definition : undefined
  return (
    typeof definition === 'object' &&
    definition !== null &&
    'kind' in definition &&
    (pluginKinds as readonly unknown[]).includes(definition.kind) &&
    'create' in definition
  )
}
