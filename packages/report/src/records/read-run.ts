import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CollimateError, manifestFile, readManifest } from '@collimate/core'
import type { Manifest } from '@collimate/core'
import { z } from 'zod'
import { measurementSchema } from '../report.js'

/** A run folder, read. */
export interface RunRecord {
  /** Absolute. */
  readonly folder: string
  readonly manifest: Manifest
  /** The resolved config. */
  readonly config: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, unknown>>
  /** Metrics of logged steps, in order. */
  readonly steps: readonly { readonly step: number; readonly metrics: Readonly<Record<string, number>> }[]
  /** In order; those of one step are one. Names as they were logged. */
  readonly evaluations: readonly Evaluation[]
  /** The last calibration of a reward model, where one was measured. */
  readonly calibration?: readonly CalibrationBin[]
}

/** Pairs that a reward model is about equally sure of: what it predicts, and the share in which it was right. */
export type CalibrationBin = z.output<typeof calibrationBin>

export interface Evaluation {
  readonly step: number
  readonly metrics: Readonly<Record<string, z.output<typeof measurementSchema>>>
}

const calibrationBin = z.object({ predicted: z.number(), observed: measurementSchema })
const calibrationEvent = z.object({
  event: z.literal('calibration.measured'),
  // An empty bin has no prediction.
  payload: z.object({ bins: z.array(z.union([calibrationBin, z.object({}).transform(() => undefined)])) }),
})
const manifestSchema = z.looseObject({
  name: z.string(),
  status: z.enum(['running', 'done', 'stopped', 'failed']),
  startedAt: z.string(),
  steps: z.number(),
  totalSteps: z.number(),
})
const stepLine = z.looseObject({ step: z.number() })
const evaluationLine = z.looseObject({ step: z.number(), evaluation: z.record(z.string(), z.unknown()) })

/** Whether a folder is that of a run. */
export const isRunFolder = (folder: string): boolean => existsSync(join(folder, manifestFile))

/**
 * Reads what a run has left.
 *
 * @throws CollimateError COLLIMATE_RUN_FOLDER_MISSING, COLLIMATE_RUN_FOLDER_BROKEN with file and line, COLLIMATE_MANIFEST_BROKEN
 */
export function readRun(path: string): RunRecord {
  const folder = resolve(path)
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new CollimateError('COLLIMATE_RUN_FOLDER_MISSING', `there is no run folder ${folder}`, {
      hint: 'give the folder that holds manifest.json',
    })
  const manifest = readManifest(folder)
  if (manifest === undefined)
    throw new CollimateError(
      'COLLIMATE_RUN_FOLDER_MISSING',
      `${folder} is not a run folder: it has no ${manifestFile}`,
      {
        hint: 'give the folder that a run has written, e.g. runs/NAME or OUTPUT/run',
      },
    )
  if (!manifestSchema.safeParse(manifest).success) throw broken(join(folder, manifestFile), 'is not that of a run')
  const lines = readLines(join(folder, 'metrics.jsonl'))
  const calibration = readCalibration(join(folder, 'events.jsonl'))
  return {
    ...{ folder, manifest },
    config: readJson(join(folder, 'config.json')),
    environment: readJson(join(folder, 'environment.json')),
    steps: lines.flatMap((line) => stepOf(line)),
    evaluations: joined(lines.flatMap((line) => evaluationOf(line))),
    ...(calibration && { calibration }),
  }
}

interface Line {
  readonly file: string
  readonly number: number
  readonly value: unknown
}

function stepOf({ file, number, value }: Line): RunRecord['steps'] {
  const parsed = stepLine.safeParse(value)
  if (!parsed.success) throw broken(file, 'has a line without a step', number)
  if ('evaluation' in parsed.data) return []
  const { step, ...rest } = parsed.data
  const metrics = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return [{ step, metrics: Object.fromEntries(metrics) }]
}

function evaluationOf({ file, number, value }: Line): Evaluation[] {
  if (!('evaluation' in (value as object))) return []
  const parsed = evaluationLine.safeParse(value)
  if (!parsed.success) throw broken(file, 'has an evaluation that is none', number)
  // A number that is not finite is logged as text; there is nothing to draw of it.
  const metrics = Object.entries(parsed.data.evaluation).flatMap(([name, given]) => {
    const measurement = measurementSchema.safeParse(given)
    return measurement.success ? [[name, measurement.data] as const] : []
  })
  return [{ step: parsed.data.step, metrics: Object.fromEntries(metrics) }]
}

/** The trainer and each evaluator tell theirs apart; what comes later has the word. */
function joined(evaluations: readonly Evaluation[]): Evaluation[] {
  const byStep = new Map<number, Evaluation>()
  for (const { step, metrics } of evaluations)
    byStep.set(step, { step, metrics: { ...byStep.get(step)?.metrics, ...metrics } })
  return [...byStep.values()].sort((a, b) => a.step - b.step)
}

/** Events are many: only the lines that are meant are parsed. */
function readCalibration(file: string): readonly CalibrationBin[] | undefined {
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  const number = lines.findLastIndex((text) => text.includes('"calibration.measured"'))
  if (number < 0) return undefined
  const parsed = calibrationEvent.safeParse(parse(file, lines[number], number + 1))
  return parsed.success ? parsed.data.payload.bins.filter((bin) => bin !== undefined) : undefined
}

function readJson(file: string): Readonly<Record<string, unknown>> {
  const value = parse(file, readText(file))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(file, 'is not a JSON object')
  return value as Record<string, unknown>
}

/** The last line of a run that crashed may be half; it is left out. */
function readLines(file: string): Line[] {
  const lines = readText(file).split('\n')
  const whole = lines.slice(0, -1)
  return whole.flatMap((text, at) =>
    text.trim() === '' ? [] : [{ file, number: at + 1, value: parse(file, text, at + 1) }],
  )
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw broken(file, 'is missing or cannot be read', undefined, cause)
  }
}

function parse(file: string, text: string, line?: number): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw broken(file, 'is not JSON', line, cause)
  }
}

function broken(file: string, what: string, line?: number, cause?: unknown): CollimateError {
  const where = line === undefined ? file : `${file}, line ${line},`
  return new CollimateError('COLLIMATE_RUN_FOLDER_BROKEN', `${where} ${what}`, {
    hint: 'leave the run out, or make it again',
    cause,
  })
}
