import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { isPipeline } from './config.js'
import type { ExperimentConfig, PipelineConfig } from './config.js'
import { CollimateError } from './errors.js'
import { experiment } from './experiment.js'
import type { Run, RunOptions } from './experiment.js'
import { importFile } from './load-plugin.js'
import { pipeline } from './pipeline.js'
import type { PipelineResult } from './pipeline.js'
import type { RunResult } from './runner.js'

/** An experiment or pipeline as its file says it, not validated yet. */
export interface LoadedExperiment {
  readonly config: ExperimentConfig | PipelineConfig
  /** Folder of the file: what its paths are relative to. */
  readonly folder: string
}

/** Reads YAML or JSON, or a .ts or .js file that exports a config as its default. Errors name file, line and column. */
export async function loadExperiment(file: string): Promise<LoadedExperiment> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new CollimateError('COLLIMATE_EXPERIMENT_MISSING', `there is no experiment file ${path}`, {
      hint: 'check the path',
    })
  const folder = dirname(path)
  const config = /\.[mc]?[tj]s$/.test(path) ? await exportedConfig(path) : await parsedConfig(path)
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new CollimateError(
      'COLLIMATE_EXPERIMENT_UNREADABLE',
      `${path}: expected a mapping with policy, trainer, data`,
    )
  return { config: config as ExperimentConfig | PipelineConfig, folder }
}

async function exportedConfig(path: string): Promise<unknown> {
  const { default: exported } = (await importFile(path, dirname(path))) as { default?: { default?: unknown } }
  return exported?.default ?? exported
}

async function parsedConfig(path: string): Promise<unknown> {
  const lineCounter = new LineCounter()
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CollimateError('COLLIMATE_EXPERIMENT_UNREADABLE', `${path}: ${reason}`, { cause: error })
  }
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true })
  const [error] = document.errors
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    throw new CollimateError('COLLIMATE_EXPERIMENT_UNREADABLE', `${path}:${line}:${col}: ${error.message}`, {
      cause: error,
    })
  }
  return document.toJS() as unknown
}

/** Starts what a file held, whichever of the two it is. */
export function runLoaded(
  { config, folder }: LoadedExperiment,
  options: Omit<RunOptions, 'folder'> = {},
): Run<RunResult | PipelineResult> {
  return isPipeline(config) ? pipeline(config, { ...options, folder }) : experiment(config, { ...options, folder })
}
