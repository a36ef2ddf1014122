import { existsSync, statSync } from 'node:fs'
import { applySettings, isPipeline, loadExperiment, pipeline } from '@collimate/core'
import type { ExperimentConfig, PipelineConfig, PipelineResult } from '@collimate/core'
import { findRuns } from '@collimate/report'
import { usageError } from '../failure.js'
import { untilDone } from '../until-done.js'

/** Whether an argument means an experiment file rather than a folder of runs. */
const isExperiment = (path: string): boolean =>
  existsSync(path) ? statSync(path).isFile() : /\.(?:ya?ml|json|[mc]?[jt]s)$/.test(path)

/** How experiments are run, as `collimate run` is told. */
export interface ExperimentRuns {
  readonly set: readonly string[]
  readonly resume?: boolean
  readonly fresh?: boolean
}

/**
 * The run folders that are meant by the arguments, each once. Experiments are run; what is done, with the same values, versions
 * and files, is not run again. Undefined where the user stopped one.
 */
export async function runFoldersOf(
  paths: readonly string[],
  options: ExperimentRuns,
): Promise<readonly string[] | undefined> {
  if ((options.set.length > 0 || options.fresh || options.resume) && !paths.some(isExperiment))
    throw usageError('--set, --resume and --fresh are for experiment files, and none is given')
  const folders: string[] = []
  for (const path of paths) {
    if (!isExperiment(path)) {
      folders.push(...findRuns(path))
      continue
    }
    const result = await runFile(path, options)
    if (result.status === 'stopped') return undefined
    folders.push(...Object.values(result.stages).map(({ folder }) => folder))
  }
  return [...new Set(folders)]
}

/** An experiment is a pipeline of one stage: so it is not run again where it is done. */
async function runFile(path: string, { set, resume = false, fresh = false }: ExperimentRuns): Promise<PipelineResult> {
  const { config: written, folder } = await loadExperiment(path)
  const config = applySettings(written, set)
  return untilDone(pipeline(isPipeline(config) ? config : alone(config), { folder, resume, fresh }))
}

function alone(config: ExperimentConfig): PipelineConfig {
  const { name = 'experiment', output = `runs/${name}` } = config
  return { name, stages: { [name]: { ...config, output } } }
}
