import { existsSync, statSync } from 'node:fs'
import { isPipeline, loadExperiment, pipeline } from '@collimate/core'
import type { ExperimentConfig, PipelineConfig, PipelineResult } from '@collimate/core'
import { findRuns } from '@collimate/report'
import { untilDone } from '../until-done.js'

/** Whether an argument means an experiment file rather than a folder of runs. */
const isExperiment = (path: string): boolean =>
  existsSync(path) ? statSync(path).isFile() : /\.(?:ya?ml|json|[mc]?[jt]s)$/.test(path)

/**
 * The run folders that are meant by the arguments, each once. Experiments are run; what is done, with the same values, versions
 * and files, is not run again. Undefined where the user stopped one.
 */
export async function runFoldersOf(paths: readonly string[]): Promise<readonly string[] | undefined> {
  const folders: string[] = []
  for (const path of paths) {
    if (!isExperiment(path)) {
      folders.push(...findRuns(path))
      continue
    }
    const result = await runFile(path)
    if (result.status === 'stopped') return undefined
    folders.push(...Object.values(result.stages).map(({ folder }) => folder))
  }
  return [...new Set(folders)]
}

/** An experiment is a pipeline of one stage: so it is not run again where it is done. */
async function runFile(path: string): Promise<PipelineResult> {
  const { config, folder } = await loadExperiment(path)
  return untilDone(pipeline(isPipeline(config) ? config : alone(config), { folder }))
}

function alone(config: ExperimentConfig): PipelineConfig {
  const { name = 'experiment', output = `runs/${name}` } = config
  return { name, stages: { [name]: { ...config, output } } }
}
