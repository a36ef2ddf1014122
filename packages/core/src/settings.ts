import { parse } from 'yaml'
import { pluginFields } from './config.js'
import { CollimateError } from './errors.js'
import { isPluginUse } from './registry.js'

type Mapping = Record<string, unknown>
const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A config with settings such as `trainer.beta=0.2` or `trackers.0.interval=5` applied, as `--set` gives them; in a
 * pipeline a path begins with the name of a stage. Values are YAML. The config itself is not changed; a path that no
 * plugin knows is refused when the config is validated.
 */
export function applySettings<Config extends object>(config: Config, settings: readonly string[]): Config {
  return settings.reduce((changed, setting) => {
    const { path, value } = parseSetting(setting)
    return assign(changed, withStages(config, path), value, setting) as Config
  }, config)
}

function parseSetting(setting: string): { path: string[]; value: unknown } {
  const at = setting.indexOf('=')
  const path = setting.slice(0, at).trim().split('.')
  if (at < 1 || path.some((part) => part === ''))
    throw new CollimateError('COLLIMATE_SETTING_INVALID', `"${setting}" is not a setting`, {
      hint: 'write path=value, e.g. trainer.beta=0.2',
    })
  try {
    return { path, value: parse(setting.slice(at + 1)) as unknown }
  } catch (error) {
    throw new CollimateError('COLLIMATE_SETTING_INVALID', `the value of "${setting}" is not YAML`, {
      hint: 'quote text that has special characters',
      cause: error,
    })
  }
}

/** `sft.trainer.beta` stands for `stages.sft.trainer.beta`. The name of a stage may have dots: `ppo-0.1.trainer.steps`. */
function withStages(config: object, path: string[]): string[] {
  const stages = (config as Mapping).stages
  const names = Array.isArray(stages)
    ? stages.map((stage) => (isMapping(stage) ? stage.name : undefined))
    : Object.keys(isMapping(stages) ? stages : {})
  for (let parts = path.length; parts > 0; parts--) {
    const index = names.indexOf(path.slice(0, parts).join('.'))
    if (index < 0) continue
    return ['stages', Array.isArray(stages) ? String(index) : String(names[index]), ...path.slice(parts)]
  }
  return path
}

function assign(target: unknown, path: readonly string[], value: unknown, setting: string): unknown {
  if (path.length === 0) return value
  const [key, ...rest] = path
  if (Array.isArray(target)) {
    if (!/^\d+$/.test(key) || Number(key) >= target.length)
      throw new CollimateError(
        'COLLIMATE_SETTING_INVALID',
        `"${setting}": "${key}" is not one of ${target.length} entries`,
      )
    return target.map((item: unknown, i) => (i === Number(key) ? assign(item, rest, value, setting) : item))
  }
  // `trainer: dpo` takes options as `trainer: { use: dpo }` does.
  if (typeof target === 'string') return assign({ use: target }, path, value, setting)
  if (isPluginUse(target)) return { ...target, options: assign(target.options, path, value, setting) }
  if (target === undefined || target === null) return assign({}, path, value, setting)
  if (!isMapping(target))
    throw new CollimateError('COLLIMATE_SETTING_INVALID', `"${setting}": there is nothing under "${key}"`)
  const present = target[key] ?? defaultEntry(key, rest)
  return { ...target, [key]: assign(present, rest, value, setting) }
}

/** An option of a plugin that the config leaves to its default, e.g. `backend.device=cpu`. */
const defaultEntry = (key: string, rest: readonly string[]): unknown => {
  if (rest.length === 0 || !(key in pluginFields)) return undefined
  if (key === 'backend') return { use: 'onnx' }
  return key === 'trackers' ? [{ use: 'console' }] : undefined
}
