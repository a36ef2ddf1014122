import type { Measurement } from '@collimate/core'
import { poolMeasurements, poolSeeds, poolShares } from '../mathematics/pool.js'
import { gain, winRate } from '../mathematics/win-rate.js'
import type { SeedScores } from '../mathematics/win-rate.js'
import type { Measured, MeasuredModel } from '../measured.js'
import type { Arm } from '../records/arms.js'
import { methodOrder } from '../records/arms.js'
import type { ReportArm, ReportRun } from '../report.js'

/** An arm with the models that were measured for it. */
export interface MeasuredArm {
  readonly arm: ReportArm
  readonly models: readonly MeasuredModel[]
}

/** Arms with what was measured of them, references first. */
export function reportArms(
  arms: readonly Arm[],
  runs: readonly ReportRun[],
  measured: Measured | undefined,
  judge: string | undefined,
): MeasuredArm[] {
  const models = measured?.models ?? []
  const referenceRuns = new Set(models.filter(({ isReference }) => isReference).map(({ run }) => run))
  const ofRuns = arms.map((arm): MeasuredArm => {
    const members = arm.runs.map((at) => runs[at])
    const own = models.filter(({ run }) => run !== undefined && arm.runs.includes(run))
    const { id, label, method, settings } = arm
    return {
      models: own,
      arm: {
        ...{ id, label, method, settings, runs: members.map((run) => run.id) },
        isReference: arm.runs.some((at) => referenceRuns.has(at)),
        ...finalOf(own, members),
        ...againstReference(own, models, judge),
        evaluations: pooledEvaluations(members),
      },
    }
  })
  const others = models.filter(({ run }) => run === undefined)
  const withoutRun = others.map((model): MeasuredArm => {
    const { name } = model
    const label = others.length > 1 ? `reference (${name})` : 'reference'
    return {
      models: [model],
      arm: {
        ...{ id: `reference-${name}`, label, method: 'reference', settings: {}, runs: [], isReference: true },
        ...finalOf([model], []),
        evaluations: [],
      },
    }
  })
  return [...withoutRun, ...ofRuns].sort((a, b) => methodOrder(a.arm.method) - methodOrder(b.arm.method))
}

/** Rewards by name, `kl`, `length`, `cut`: measured now, else as the runs measured them last. */
function finalOf(models: readonly MeasuredModel[], runs: readonly ReportRun[]): Pick<ReportArm, 'final'> {
  if (models.length > 0) {
    const names = Object.keys(models[0].scores).filter((name) => models.every(({ scores }) => scores[name]))
    return {
      final: {
        ...Object.fromEntries(names.map((name) => [name, poolSeeds(models.map(({ scores }) => scores[name]))])),
        kl: models.every(({ isReference }) => isReference)
          ? { value: 0 }
          : atLeastZero(poolSeeds(models.map(({ kl }) => kl))),
        length: poolSeeds(models.map(({ lengths }) => lengths)),
        cut: poolShares(models.map(({ cut }) => cut)),
      },
    }
  }
  const last = runs.map(({ evaluations }) => evaluations.at(-1)?.metrics)
  const known = last.filter((metrics) => metrics !== undefined)
  if (known.length === 0 || known.length < last.length) return {}
  const shown = ['gold', 'reward', 'kl', 'length', 'cut']
  const final = Object.entries(pooledByName(known)).filter(([name]) => shown.includes(name))
  return final.length === 0 ? {} : { final: Object.fromEntries(final) }
}

/** A divergence is never below 0, whatever few seeds would allow. */
const atLeastZero = (kl: Measurement): Measurement => ({
  ...kl,
  ...(kl.low !== undefined && { low: Math.min(kl.value, Math.max(0, kl.low)) }),
})

function againstReference(
  own: readonly MeasuredModel[],
  models: readonly MeasuredModel[],
  judge: string | undefined,
): Pick<ReportArm, 'winsAgainstReference' | 'gainOverReference'> {
  if (judge === undefined || own.length === 0) return {}
  const scores = own.map((model) => model.scores[judge])
  const theirs = own.map(
    ({ reference }) => models.find((model) => model.isReference && model.reference === reference)?.scores[judge],
  )
  if (scores.some((one) => !one) || theirs.some((one) => !one) || own.every(({ isReference }) => isReference)) return {}
  return {
    winsAgainstReference: winRate(scores, theirs as SeedScores),
    gainOverReference: gain(scores, theirs as SeedScores),
  }
}

/** Evaluations that every seed has made. */
function pooledEvaluations(runs: readonly ReportRun[]): ReportArm['evaluations'] {
  const steps = [...new Set(runs.flatMap(({ evaluations }) => evaluations.map(({ step }) => step)))].sort(
    (a, b) => a - b,
  )
  return steps.flatMap((step) => {
    const found = runs.map(({ evaluations }) => evaluations.find((one) => one.step === step)?.metrics)
    const known = found.filter((metrics) => metrics !== undefined)
    return known.length < runs.length ? [] : [{ step, metrics: pooledByName(known) }]
  })
}

function pooledByName(metrics: readonly Readonly<Record<string, Measurement>>[]): Record<string, Measurement> {
  const names = Object.keys(metrics[0]).filter((name) => metrics.every((one) => one[name] !== undefined))
  return Object.fromEntries(names.map((name) => [name, poolMeasurements(metrics.map((one) => one[name]))]))
}
