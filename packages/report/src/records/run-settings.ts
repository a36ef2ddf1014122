import type { RunRecord } from './read-run.js'

export type Setting = string | number | boolean | null

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The parts of a config that decide what a run learns. */
const deciding = ['trainer', 'estimator', 'reward', 'critic', 'policy', 'data'] as const

/** Where something is logged, how it is computed and which random numbers it draws are not settings of a method. */
const left = /(^|\.)(seed|loggingSteps|microBatchSize|evalPrompts|threads|device|decodeBatchSize|programMemory)$/

/** The name of the trainer as an experiment says it, without folder and extension where it is a file. */
export function methodOf({ config: { trainer } }: Pick<RunRecord, 'config'>): string {
  const use = isMapping(trainer) ? trainer['use'] : trainer
  const name = typeof use === 'string' ? use : 'unknown'
  return name.replace(/^.*[/\\]/, '').replace(/\.[mc]?[jt]s$/, '')
}

export const seedOf = ({ config: { seed } }: Pick<RunRecord, 'config'>): number => (typeof seed === 'number' ? seed : 0)

/** Every setting of a run by its path in the config, e.g. `trainer.beta`. */
export function settingsOf({ config }: Pick<RunRecord, 'config'>): ReadonlyMap<string, Setting> {
  const found = new Map<string, Setting>()
  const visit = (path: string, value: unknown): void => {
    if (Array.isArray(value)) value.forEach((inner, at) => visit(`${path}.${at}`, inner))
    else if (isMapping(value)) for (const [key, inner] of Object.entries(value)) visit(`${path}.${key}`, inner)
    else if (!left.test(path)) found.set(path, value as Setting)
  }
  for (const key of deciding) if (config[key] !== undefined) visit(key, config[key])
  return found
}
