import { relative } from 'node:path'
import type { Resources } from '@collimate/core'
import type { Arm } from '../records/arms.js'
import { curveOf } from '../records/curve.js'
import { evaluatedAgainst } from '../records/model-paths.js'
import type { RunRecord } from '../records/read-run.js'
import { seedOf } from '../records/run-settings.js'
import type { ReportRun } from '../report.js'
import { evaluationName } from './names.js'

/**
 * Runs as the report has them.
 *
 * @param references [runs] the model that the KL of each is to be measured to; undefined where it is not known
 */
export function reportRuns(
  records: readonly RunRecord[],
  arms: readonly Arm[],
  references: readonly (string | undefined)[],
): ReportRun[] {
  const ids = uniqueNames(records)
  return records.map((record, at): ReportRun => {
    const { manifest, folder } = record
    const { status, error, steps, totalSteps, resources, startedAt, finishedAt } = manifest
    const comparable = references[at] === undefined || references[at] === evaluatedAgainst(record)
    const curve = curveOf(record)
    return {
      ...{ id: ids[at], folder: shortPath(folder), arm: arms.find(({ runs }) => runs.includes(at))!.id },
      ...{ seed: seedOf(record), status, steps, totalSteps },
      ...(error !== undefined && { error }),
      ...(finishedAt !== undefined && { seconds: (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 }),
      ...(resources && { resources: resourcesOf(resources) }),
      ...(curve && { curve }),
      evaluations: record.evaluations.map(({ step, metrics }) => ({
        step,
        metrics: Object.fromEntries(
          Object.entries(metrics)
            .map(([name, measurement]) => [evaluationName(name), measurement] as const)
            .filter(([name]) => name !== 'kl' || comparable),
        ),
      })),
    }
  })
}

function resourcesOf(resources: Resources): NonNullable<ReportRun['resources']> {
  const { models, stateBytes, processBytes, processBytesBefore, trainedTokens, generatedTokens, trainingSeconds } =
    resources
  return {
    models: models.map(({ role, parameters }) => ({ role, parameters })),
    ...{ stateBytes, processBytes, trainedTokens, generatedTokens, trainingSeconds },
    ...(processBytesBefore !== undefined && { processBytesBefore }),
  }
}

/** Names of the runs, with their folders where two are called the same. */
export function uniqueNames(records: readonly Pick<RunRecord, 'manifest' | 'folder'>[]): string[] {
  return records.map(({ manifest: { name }, folder }) =>
    records.filter((other) => other.manifest.name === name).length > 1 ? shortPath(folder) : name,
  )
}

function shortPath(path: string): string {
  const near = relative(process.cwd(), path)
  return near !== '' && !near.startsWith('..') ? near : path
}
