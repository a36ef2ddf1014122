import { basename } from 'node:path'
import { buildReport, readRun, renderPage, reportFindings } from '@collimate/report'
import type { Measured } from '@collimate/report'
import type { BackendOptions } from '../backend-flags.js'
import { openWorkshop } from '../measure/workshop.js'
import type { Status } from '../status.js'
import { measureAll } from './measure-all.js'
import { planMeasurement } from './plan.js'
import type { PlanRequest } from './plan.js'

export interface ReportRequest extends PlanRequest, BackendOptions {
  readonly title?: string
  readonly prompts: number
  readonly samples: number
  readonly frontierPrompts: number
  readonly frontierSamples: number
  readonly measure: boolean
}

export interface MadeReport {
  readonly html: string
  readonly json: string
  /** What a terminal says of it. */
  readonly summary: string
}

/** Reads the runs, measures their models, and makes the report; undefined where the signal cut it short. */
export async function makeReport(
  folders: readonly string[],
  request: ReportRequest,
  { status, signal }: { status: Status; signal: AbortSignal },
): Promise<MadeReport | undefined> {
  const records = folders
    .map(readRun)
    .sort((a, b) =>
      a.manifest.startedAt < b.manifest.startedAt ? -1 : Number(a.manifest.startedAt > b.manifest.startedAt),
    )
  const plan = planMeasurement(records, request)
  const notes = [...plan.notes]
  let measured: Measured | undefined
  const { origin } = plan
  if (request.measure && plan.models.length > 0 && origin === undefined)
    notes.push('no run has held-out rows that its models could answer: name prompts with --data')
  if (request.measure && plan.models.length > 0 && origin !== undefined) {
    const workshop = await openWorkshop(request)
    try {
      const found = await measureAll({
        ...{ plan: { ...plan, origin }, prompts: request.prompts, workshop, status, signal },
        frontier: { prompts: request.frontierPrompts, samples: request.frontierSamples },
      })
      measured = found.measured
      notes.push(...found.notes)
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      await workshop.close()
    }
  }
  status.show('drawing')
  const report = buildReport({
    title: request.title ?? titleOf(folders),
    createdAt: new Date().toISOString(),
    ...{ records, notes, samples: request.samples, ...(measured && { measured }) },
  })
  const summary = [...reportFindings(report), ...notes.map((note) => `note: ${note}`)].join('\n')
  return { html: renderPage(report), json: `${JSON.stringify(report, null, 2)}\n`, summary }
}

/** `story`, where all runs lie in one folder of that name. */
function titleOf(folders: readonly string[]): string {
  const parents = new Set(folders.map((folder) => basename(folder.replace(/[/\\][^/\\]+$/, ''))))
  const [parent] = parents
  return parents.size === 1 && parent !== undefined && parent !== 'runs' && folders.length > 1
    ? `${parent}: methods compared`
    : 'Methods compared'
}
