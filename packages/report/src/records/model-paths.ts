import { resolve } from 'node:path'
import type { RunRecord } from './read-run.js'

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The folder that the paths of a run's config are relative to; the current one where an old run does not say. */
export function folderOf({ environment }: Pick<RunRecord, 'environment'>): string {
  const { folder } = environment
  return typeof folder === 'string' ? folder : process.cwd()
}

/** The model that a run began with; undefined where it made a new one. */
export function startingModelOf(run: Pick<RunRecord, 'config' | 'environment'>): string | undefined {
  const { policy } = run.config
  const model = isMapping(policy) ? policy['model'] : undefined
  return typeof model === 'string' ? resolve(folderOf(run), model) : undefined
}

/** The model that a run has left; undefined where it has none. */
export function modelOf({ folder, manifest }: Pick<RunRecord, 'folder' | 'manifest'>): string | undefined {
  return manifest.modelFolder === undefined ? undefined : resolve(folder, manifest.modelFolder)
}

/** The evaluator `rewards` of a run: what it measures, and against which reference. */
export function rewardsEvaluatorOf({
  config,
}: Pick<RunRecord, 'config'>): Readonly<Record<string, unknown>> | undefined {
  const { evaluators } = config
  const entries = Array.isArray(evaluators) ? (evaluators as unknown[]) : []
  return entries.filter(isMapping).find(({ use }) => use === 'rewards')
}

/** The model that the KL of a run's evaluations is measured to. */
export function evaluatedAgainst(run: Pick<RunRecord, 'config' | 'environment'>): string | undefined {
  const { reference } = rewardsEvaluatorOf(run) ?? {}
  return typeof reference === 'string' ? resolve(folderOf(run), reference) : startingModelOf(run)
}
