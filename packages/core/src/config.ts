import { z } from 'zod'
import { CollimateError } from './errors.js'
import { parseOptions } from './parse-options.js'
import type { PluginKind } from './plugin.js'
import { isPluginUse } from './registry.js'
import type { PluginEntry } from './registry.js'

/** One experiment, as it stands in a YAML file or is written in TypeScript. Paths are relative to the file's folder. */
export interface ExperimentConfig {
  /** Letters, digits, `.`, `_`, `-`; default `experiment`. */
  readonly name?: string
  /** Of all random numbers; default 42. */
  readonly seed?: number
  /** Default `onnx`. */
  readonly backend?: PluginEntry<'backend'>
  readonly policy: PluginEntry<'policy'>
  readonly reward?: PluginEntry<'reward'>
  readonly estimator?: PluginEntry<'estimator'>
  /** The value model of trainers that need one; default the policy's model with a new scalar head. */
  readonly critic?: PluginEntry<'policy'>
  readonly trainer: PluginEntry<'trainer'>
  /** Options without `use` are those of `files`. */
  readonly data: PluginEntry<'data'> | Readonly<Record<string, unknown>>
  /** Run once after training, some at each evaluation too. */
  readonly evaluators?: readonly PluginEntry<'evaluator'>[]
  /** Default `[console]`. */
  readonly trackers?: readonly PluginEntry<'tracker'>[]
  /** The run folder; default `runs/NAME`. */
  readonly output?: string
  /** Where the trained model goes; default `model` in the run folder. */
  readonly modelFolder?: string
  /** Caches that outlive the run; default `.cache` beside the run folder. */
  readonly cacheFolder?: string
  /** Optimiser steps between evaluations on the held-out split; it is evaluated after training in any case. */
  readonly evaluateEvery?: number
  /** Evaluate before the first step too; default false. */
  readonly evaluateAtStart?: boolean
  /** Optimiser steps between checkpoints; default none but when stopped. */
  readonly checkpointEvery?: number
}

const entry = z.custom<PluginEntry>(
  (value) => (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null),
  'expected the name of a plugin or { use: name, option: value }',
)
const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'expected letters, digits, ".", "_" and "-"')
  .describe('name of the run and of its folder')
const path = z.string().min(1)
const steps = z.int().positive()

const shape = {
  name: name.default('experiment'),
  seed: z.int().nonnegative().default(42).describe('seed of all random numbers, a whole number from 0'),
  backend: entry.default('onnx'),
  policy: entry.describe('the model to train, e.g. { use: transformer, model: ./model }'),
  reward: entry.optional(),
  estimator: entry.optional(),
  critic: entry.optional().describe('the value model; default the policy’s model with a scalar head'),
  trainer: entry.describe('the method, e.g. sft or dpo'),
  data: entry.describe('the dataset, e.g. { train: pairs.jsonl }'),
  evaluators: z.array(entry).default([]),
  trackers: z.array(entry).default(['console']),
  output: path.optional().describe('the run folder; default runs/NAME'),
  modelFolder: path.optional().describe('folder of the trained model; default model in the run folder'),
  cacheFolder: path.optional().describe('caches that outlive the run; default .cache beside the run folder'),
  evaluateEvery: steps.optional().describe('optimiser steps between evaluations'),
  evaluateAtStart: z.boolean().default(false).describe('evaluate before the first step'),
  checkpointEvery: steps.optional().describe('optimiser steps between checkpoints'),
}
const schema = z.object(shape)

/** A config with the defaults of the experiment itself; plugins are not resolved yet. */
export type ParsedConfig = z.output<typeof schema>

/** Refuses unknown fields and wrong values; says where. */
export function parseConfig(config: unknown): ParsedConfig {
  const given = config as Partial<ExperimentConfig> | undefined
  const parsed = parseOptions(`experiment ${JSON.stringify(given?.name ?? 'experiment')}`, schema, config)
  return { ...parsed, data: withDefaultUse(parsed.data, 'files') }
}

function withDefaultUse(data: PluginEntry, use: string): PluginEntry {
  return typeof data === 'string' || isPluginUse(data) || 'use' in data ? data : { use, ...(data as object) }
}

/** What several stages share: stated once on the pipeline, overridden by a stage. */
const shared = { seed: shape.seed.optional(), backend: entry.optional(), trackers: shape.trackers.optional() } as const

/** Experiments that build on each other: `${sft.model}` and `${sft.run}` stand for what an earlier stage made. */
export interface PipelineConfig extends Pick<ExperimentConfig, 'name' | 'seed' | 'backend' | 'trackers' | 'output'> {
  /** In order. The name of a stage is its key; its run folder is `OUTPUT/STAGE`. */
  readonly stages: Readonly<Record<string, ExperimentConfig>>
}

const pipelineSchema = z.object({
  name: name.default('pipeline'),
  output: path.optional().describe('folder of the run folders; default runs/NAME'),
  ...shared,
  stages: z.unknown(),
})

export type ParsedPipeline = Omit<z.output<typeof pipelineSchema>, 'stages'> & {
  readonly stages: readonly { readonly name: string; readonly config: Readonly<Record<string, unknown>> }[]
}

/** Checks the pipeline's own fields; `stages` may be a mapping by name or a list of experiments that have names. */
export function parsePipeline(config: unknown): ParsedPipeline {
  const given = config as Partial<PipelineConfig> | undefined
  const subject = `pipeline ${JSON.stringify(given?.name ?? 'pipeline')}`
  const { stages, ...rest } = parseOptions(subject, pipelineSchema, config)
  return { ...rest, stages: stageList(subject, stages) }
}

function stageList(subject: string, stages: unknown): ParsedPipeline['stages'] {
  const isMapping = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const refuse = (message: string): CollimateError =>
    new CollimateError('COLLIMATE_OPTION_INVALID', `${subject}: ${message}`, {
      hint: 'stages: { sft: { policy: ..., trainer: ..., data: ... }, dpo: { ... } }',
    })
  const named: [unknown, unknown][] = Array.isArray(stages)
    ? stages.map((stage: unknown) => [isMapping(stage) ? stage.name : undefined, stage])
    : isMapping(stages)
      ? Object.entries(stages)
      : []
  if (named.length === 0) throw refuse('"stages" is empty or not a mapping of experiments')
  const seen = new Set<string>()
  return named.map(([stageName, stage], index) => {
    if (!isMapping(stage)) throw refuse(`stage ${index + 1} is not an experiment`)
    const parsed = name.safeParse(stageName)
    if (!parsed.success) throw refuse(`stage ${index + 1} needs a name of letters, digits, ".", "_" and "-"`)
    if (seen.has(parsed.data)) throw refuse(`two stages are called "${parsed.data}"`)
    seen.add(parsed.data)
    return { name: parsed.data, config: stage }
  })
}

/** Whether a config is a pipeline: it has `stages`. */
export const isPipeline = (config: unknown): config is PipelineConfig =>
  typeof config === 'object' && config !== null && 'stages' in config

/** The fields of a config that hold plugins, with their kinds. */
export const pluginFields = {
  backend: 'backend',
  policy: 'policy',
  reward: 'reward',
  estimator: 'estimator',
  critic: 'policy',
  trainer: 'trainer',
  data: 'data',
  evaluators: 'evaluator',
  trackers: 'tracker',
} as const satisfies Partial<Record<keyof ExperimentConfig, PluginKind>>
