import { winRateMatrix } from '../mathematics/win-rate.js'
import type { Measured } from '../measured.js'
import { armsOf } from '../records/arms.js'
import { startingModelOf } from '../records/model-paths.js'
import type { RunRecord } from '../records/read-run.js'
import type { Report } from '../report.js'
import { judgeOf } from './names.js'
import { reportArms } from './report-arms.js'
import type { MeasuredArm } from './report-arms.js'
import { reportFits } from './report-fits.js'
import { reportFrontiers } from './report-frontiers.js'
import { reportMethods } from './report-methods.js'
import { reportRuns } from './report-runs.js'
import { reportSamples } from './report-samples.js'

export interface BuildRequest {
  readonly title: string
  readonly createdAt: string
  readonly records: readonly RunRecord[]
  readonly measured?: Measured
  /** What was left out, and why. */
  readonly notes?: readonly string[]
  /** Prompts that are shown with all answers; default 6. */
  readonly samples?: number
}

/** Everything that is said of the runs, as data. Pure: the same runs and measurements, the same report. */
export function buildReport({ title, createdAt, records, measured, notes = [], samples = 6 }: BuildRequest): Report {
  const groups = armsOf(records)
  const runs = reportRuns(records, groups, referencesOf(records, measured))
  const rewards = rewardNames(measured, runs)
  const judge = judgeOf(rewards)
  const measuredArms = reportArms(groups, runs, measured, judge)
  const arms = measuredArms.map(({ arm }) => arm)
  const frontiers = reportFrontiers(measured)
  return {
    ...{ format: 1, title, createdAt, machine: machineOf(records), arms, runs },
    ...(measured && { measured: settingsOf(measured, rewards, judge) }),
    methods: reportMethods(arms, runs, judge),
    ...frontiers,
    fits: reportFits(arms, rewards, frontiers.bestOfN),
    ...winRatesOf(measuredArms, judge),
    calibrations: records.flatMap(({ calibration, evaluations }, at) => {
      if (!calibration || calibration.length === 0) return []
      const { eval_accuracy: accuracy, 'eval_calibration/error': error } = evaluations.at(-1)?.metrics ?? {}
      const { id, arm } = runs[at]
      const label = arms.find((one) => one.id === arm)?.label ?? id
      return [{ run: id, label, ...(accuracy && { accuracy }), ...(error && { error }), bins: [...calibration] }]
    }),
    samples: reportSamples(measuredArms, measured, judge, samples),
    notes: [...notes, ...failures(records)],
  }
}

/** [runs] the model that the KL of each is measured to. */
function referencesOf(records: readonly RunRecord[], measured: Measured | undefined): (string | undefined)[] {
  return records.map(
    (record, at) => measured?.models.find(({ run }) => run === at)?.reference ?? startingModelOf(record),
  )
}

/** Gold first, then what training sees, then others. */
function rewardNames(measured: Measured | undefined, runs: Report['runs']): string[] {
  const inRecords = runs.flatMap(({ evaluations }) => evaluations.flatMap(({ metrics }) => Object.keys(metrics)))
  const names = measured
    ? measured.models.flatMap(({ scores }) => Object.keys(scores))
    : inRecords.filter((name) => name === 'gold' || name === 'reward')
  const order = ['gold', 'reward', ...names]
  return [...new Set(names)].sort((a, b) => order.indexOf(a) - order.indexOf(b))
}

function settingsOf(measured: Measured, rewards: string[], judge: string | undefined): Report['measured'] {
  const { prompts, maxNewTokens, temperature, topP, seed } = measured
  return {
    ...{ prompts: prompts.length, maxNewTokens, temperature, topP, seed, rewards },
    ...(judge !== undefined && { judge }),
  }
}

function winRatesOf(arms: readonly MeasuredArm[], judge: string | undefined): Pick<Report, 'winRates'> {
  if (judge === undefined) return {}
  const judged = arms.filter(({ models }) => models.length > 0 && models.every(({ scores }) => scores[judge]))
  if (judged.length < 2) return {}
  const cells = winRateMatrix(judged.map(({ models }) => models.map(({ scores }) => scores[judge])))
  return { winRates: { arms: judged.map(({ arm }) => arm.id), cells } }
}

function machineOf(records: readonly RunRecord[]): Report['machine'] {
  const { environment } = records.find((record) => record.environment['cpu'] !== undefined) ?? records[0]
  const { cpu, processors, memoryBytes, platform, node, backend } = environment
  const { backend: name, device } = (backend ?? {}) as { backend?: unknown; device?: unknown }
  const entries = Object.entries({ cpu, processors, memoryBytes, platform, node, backend: name, device })
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string | number] => ['string', 'number'].includes(typeof entry[1])),
  )
}

function failures(records: readonly RunRecord[]): string[] {
  return records.flatMap((record) => {
    const { name, status, error, steps, totalSteps } = record.manifest
    if (status === 'done') return []
    const after = `after ${steps} of ${totalSteps} steps`
    if (status === 'failed') return [`${name} failed ${after}: ${error ?? 'no reason was recorded'}`]
    return [
      status === 'stopped'
        ? `${name} was stopped ${after}`
        : `${name} has not ended: ${steps} of ${totalSteps} steps are done`,
    ]
  })
}
