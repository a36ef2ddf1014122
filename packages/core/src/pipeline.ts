import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parsePipeline } from './config.js'
import type { ParsedPipeline, PipelineConfig } from './config.js'
import { CollimateError } from './errors.js'
import { start } from './experiment.js'
import type { Run, RunOptions } from './experiment.js'
import { readManifest } from './manifest.js'
import { suggestion } from './nearest.js'
import { isPluginUse } from './registry.js'
import type { Registry } from './registry.js'
import { resolveExperiment } from './resolve-experiment.js'
import type { ResolvedExperiment } from './resolve-experiment.js'
import { checkpointFile } from './run-folder.js'
import { runExperiment } from './runner.js'
import type { RunResult } from './runner.js'

export interface PipelineResult {
  readonly name: string
  readonly status: 'done' | 'stopped'
  /** By stage, those that were reached. `skipped`: it had been done before. */
  readonly stages: Readonly<Record<string, RunResult & { readonly skipped: boolean }>>
}

/** What a later stage can refer to. */
interface StagePlaces {
  readonly model: string
  readonly run: string
}

/**
 * Runs experiments one after the other. `${sft.model}` and `${sft.run}` in any text of a later stage stand for the model
 * folder and the run folder of stage `sft`. A stage that is done, with the same config, versions and files, is skipped.
 */
export function pipeline(config: PipelineConfig, options: RunOptions = {}): Run<PipelineResult> {
  const { folder = process.cwd(), resume = false, fresh = false } = options
  return start(options, async (started) => {
    const parsed = parsePipeline(config)
    const { name, stages } = parsed
    // What is wrong with the options of the last stage is said before the first one trains.
    for (const index of stages.keys()) await resolveStage(parsed, index, folder, started.registry)
    const results: Record<string, PipelineResult['stages'][string]> = {}
    // What was skipped is told when the trackers of the next stage listen.
    const untold: (() => void)[] = []
    const tellAll = (): void => untold.splice(0).forEach((tell) => tell())
    for (const [index, stage] of stages.entries()) {
      const tell = (state: 'running' | 'skipped' | 'done') => (): void =>
        started.bus.emit('stage.changed', { stage: stage.name, index, count: stages.length, state })
      const resolved = await resolveStage(parsed, index, folder, started.registry)
      const before = fresh ? undefined : doneBefore(resolved)
      if (before) {
        results[stage.name] = { ...before, skipped: true }
        untold.push(tell('skipped'))
        continue
      }
      untold.push(tell('running'))
      const goOn = resume && existsSync(checkpointFile(resolved.output))
      const result = await runExperiment(resolved, { ...started, resume: goOn, attached: tellAll })
      results[stage.name] = { ...result, skipped: false }
      if (result.status === 'stopped') return { name, status: 'stopped', stages: results }
      tell('done')()
    }
    tellAll()
    return { name, status: 'done', stages: results }
  })
}

const stageFolder = ({ name, output }: ParsedPipeline, stage: string): string =>
  join(output ?? join('runs', name), stage)

function places(pipeline: ParsedPipeline, index: number, folder: string): StagePlaces {
  const { name, config } = pipeline.stages[index]
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const run = resolve(folder, text(config.output) ?? stageFolder(pipeline, name))
  return { run, model: resolve(folder, text(config.modelFolder) ?? join(run, 'model')) }
}

/** A stage as an experiment of its own: what the pipeline shares filled in, references to earlier stages replaced. */
function stageConfig(pipeline: ParsedPipeline, index: number, folder: string): Readonly<Record<string, unknown>> {
  const { seed, backend, trackers } = pipeline
  const { name, config } = pipeline.stages[index]
  const shared = Object.entries({ seed, backend, trackers }).filter(([, value]) => value !== undefined)
  const earlier = new Map(pipeline.stages.slice(0, index).map((stage, i) => [stage.name, places(pipeline, i, folder)]))
  const all = { ...Object.fromEntries(shared), output: stageFolder(pipeline, name), ...config, name }
  return replaceReferences(all, earlier, name) as Record<string, unknown>
}

async function resolveStage(pipeline: ParsedPipeline, index: number, folder: string, registry: Registry) {
  return resolveExperiment(stageConfig(pipeline, index, folder), registry, folder)
}

function replaceReferences(value: unknown, earlier: ReadonlyMap<string, StagePlaces>, stage: string): unknown {
  if (typeof value === 'string')
    return value.replaceAll(/\$\{([^}]*)\}/g, (whole: string, reference: string) => {
      const [name, place] = reference.split('.')
      const found = earlier.get(name)
      if (found && (place === 'model' || place === 'run') && reference === `${name}.${place}`) return found[place]
      const known = [...earlier.keys()].flatMap((key) => [`${key}.model`, `${key}.run`])
      throw new CollimateError('COLLIMATE_REFERENCE_UNKNOWN', `stage "${stage}": ${whole} refers to nothing`, {
        hint: suggestion(reference, known, 'what earlier stages give'),
      })
    })
  if (Array.isArray(value)) return value.map((item) => replaceReferences(item, earlier, stage))
  if (isPluginUse(value)) return { ...value, options: replaceReferences(value.options, earlier, stage) }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, replaceReferences(inner, earlier, stage)]),
  )
}

/** The result of an earlier run of exactly this stage, if its model is still there. */
function doneBefore({ name, output, hash, modelFolder }: ResolvedExperiment): RunResult | undefined {
  const manifest = readManifest(output)
  if (manifest?.status !== 'done' || manifest.configHash !== hash || !existsSync(modelFolder)) return undefined
  const { steps, totalSteps, metrics = {} } = manifest
  return { name, status: 'done', folder: output, modelFolder, steps, totalSteps, metrics, seconds: 0 }
}
