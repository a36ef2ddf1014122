import { dirname, join, relative, resolve } from 'node:path'
import { parseConfig, pluginFields } from './config.js'
import { CollimateError } from './errors.js'
import { canonical, digest, plain } from './json.js'
import { isLocalFile } from './load-plugin.js'
import { inputFiles, realPath } from './paths.js'
import type { InputFile } from './paths.js'
import type { PluginKind } from './plugin.js'
import type { PluginEntry, Registry, ResolvedPlugin } from './registry.js'
import { coreVersion } from './version.js'

/** An experiment whose plugins are loaded and whose options are checked; nothing is created yet. */
export interface ResolvedExperiment {
  readonly name: string
  readonly seed: number
  /** Folder that its paths are relative to. */
  readonly folder: string
  readonly output: string
  readonly modelFolder: string
  readonly cacheFolder: string
  readonly evaluateEvery: number | undefined
  readonly evaluateAtStart: boolean
  readonly checkpointEvery: number | undefined
  readonly backend: ResolvedPlugin<'backend'>
  readonly policy: ResolvedPlugin<'policy'>
  readonly reward: ResolvedPlugin<'reward'> | undefined
  readonly estimator: ResolvedPlugin<'estimator'> | undefined
  readonly critic: ResolvedPlugin<'policy'> | undefined
  readonly trainer: ResolvedPlugin<'trainer'>
  readonly data: ResolvedPlugin<'data'>
  readonly evaluators: readonly ResolvedPlugin<'evaluator'>[]
  readonly trackers: readonly ResolvedPlugin<'tracker'>[]
  /** The whole of it as JSON data, defaults filled in: what config.json holds. */
  readonly config: Readonly<Record<string, unknown>>
  /** Versions of core and of the plugins. */
  readonly versions: Readonly<Record<string, string>>
  /** Hash of what decides the result: config, versions, and size and time of the files that it names. */
  readonly hash: string
}

/** Loads the plugins of a config and checks every option. Touches no file but to read. */
export async function resolveExperiment(
  given: unknown,
  registry: Registry,
  folder: string,
): Promise<ResolvedExperiment> {
  const parsed = parseConfig(given)
  const one = <Kind extends PluginKind>(kind: Kind, entry: PluginEntry): Promise<ResolvedPlugin<Kind>> =>
    registry.resolve(kind, entry as PluginEntry<Kind>, folder)
  const many = async <Kind extends PluginKind>(kind: Kind, entries: readonly PluginEntry[]) => {
    const resolved: ResolvedPlugin<Kind>[] = []
    for (const entry of entries) resolved.push(await one(kind, entry))
    return resolved
  }
  const plugins = {
    trainer: await one('trainer', parsed.trainer),
    policy: await one('policy', parsed.policy),
    data: await one('data', parsed.data),
    reward: parsed.reward === undefined ? undefined : await one('reward', parsed.reward),
    estimator: parsed.estimator === undefined ? undefined : await one('estimator', parsed.estimator),
    critic: parsed.critic === undefined ? undefined : await one('policy', parsed.critic),
    evaluators: await many('evaluator', parsed.evaluators),
    backend: await one('backend', parsed.backend),
    trackers: await many('tracker', parsed.trackers),
  }
  const { name, seed, evaluateEvery, evaluateAtStart, checkpointEvery } = parsed
  const output = resolve(folder, parsed.output ?? join('runs', name))
  const modelFolder = resolve(folder, parsed.modelFolder ?? join(output, 'model'))
  const cacheFolder = resolve(folder, parsed.cacheFolder ?? join(dirname(output), '.cache'))
  if (modelFolder === output)
    throw new CollimateError('COLLIMATE_OPTION_CONFLICT', `"output" and "modelFolder" are both ${output}`, {
      hint: 'the run folder and the model each have a config.json: give them different folders',
    })

  const all = Object.values(plugins)
    .flat()
    .filter((plugin) => plugin !== undefined)
  const config = describe({
    name,
    seed,
    ...plugins,
    output: relative(folder, output),
    modelFolder: relative(folder, modelFolder),
    cacheFolder: relative(folder, cacheFolder),
    evaluateEvery,
    evaluateAtStart,
    checkpointEvery,
  })
  const inputs = inputFiles(all.map(namedFiles), folder)
  refuseOverwriting(inputs, output, modelFolder)
  const versions = Object.fromEntries([
    ['@collimate/core', coreVersion],
    ...all.map(({ plugin: { definition } }) => [`${definition.kind} ${definition.name}`, definition.version]),
  ]) as Record<string, string>
  // Trackers and caches do not change what a run makes.
  const { trackers: _trackers, cacheFolder: _cacheFolder, ...deciding } = config
  const hash = digest(canonical({ deciding, versions, inputs }))
  return {
    ...plugins,
    ...{ name, seed, folder, output, modelFolder, cacheFolder, evaluateEvery, evaluateAtStart, checkpointEvery },
    ...{ config, versions, hash },
  }
}

const namedFiles = ({ use, options }: ResolvedPlugin): unknown => (isLocalFile(use) ? [use, options] : options)

/** The config with each plugin as `{ use, ...options }`. */
function describe(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isPlugin = (value: unknown): value is ResolvedPlugin =>
    typeof value === 'object' && value !== null && 'plugin' in value && 'use' in value
  const written = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(written)
    return isPlugin(value) ? { use: value.use, ...value.options } : value
  }
  const entries = Object.entries(config).map(([key, value]) => [key, key in pluginFields ? written(value) : value])
  return plain(Object.fromEntries(entries)) as Record<string, unknown>
}

/** A model must not be written over the one that it is made from, nor a run over its data. */
function refuseOverwriting(inputs: readonly InputFile[], output: string, modelFolder: string): void {
  for (const [what, target] of [
    ['output', output],
    ['modelFolder', modelFolder],
  ])
    for (const { path } of inputs)
      if (realPath(dirname(path)) === realPath(target))
        throw new CollimateError('COLLIMATE_OUTPUT_IS_INPUT', `"${what}" is ${target}, which the experiment reads`, {
          hint: 'write to another folder',
        })
}
