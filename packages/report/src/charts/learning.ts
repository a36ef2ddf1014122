import { methodLabel } from '../records/arms.js'
import { methodsOf, rewardName, settingsLabel } from '../page/words.js'
import type { Report, ReportRun } from '../report.js'
import type { Chart } from './chart.js'
import { lookOf } from './colours.js'

const metricNames: Readonly<Record<string, string>> = {
  reward: 'reward of sampled answers',
  'objective/scores': 'reward of sampled answers',
  'rewards/accuracies': 'pairs ranked right, share',
  accuracy: 'pairs ranked right, share',
  mean_token_accuracy: 'tokens predicted right, share',
  loss: 'loss, nats',
}

/** One small picture per arm: the telling metric of training over its steps, a line for each seed. */
export function learningCurves(report: Report): readonly Chart[] {
  const methods = methodsOf(report)
  const curves = report.runs.filter(({ curve }) => curve !== undefined && curve.points.length > 1)
  return report.arms.flatMap((arm): Chart[] => {
    const own = curves.filter((run) => run.arm === arm.id)
    if (own.length === 0) return []
    const metric = own[0].curve!.metric
    const name = metricNames[metric] ?? metric
    return [
      {
        title: arm.label,
        description: `${arm.label}: ${name} over training steps`,
        x: { name: 'step', min: 0, max: Math.max(...own.map(({ curve }) => curve!.points.at(-1)![0])) },
        y: { name, covers: valuesOf(curves.filter(({ curve }) => curve!.metric === metric)) },
        lines: own.map(({ curve }) => ({
          ...{ points: thinned(curve!.points), colour: lookOf(arm.method, methods).colour, width: 1.5 },
          opacity: own.length > 1 ? 0.7 : 1,
        })),
      },
    ]
  })
}

/** One picture per method: the reward that decides, on held-out prompts along training, a line for each of its arms. */
export function heldOutCurves(report: Report, judge: string | undefined): readonly Chart[] {
  if (judge === undefined) return []
  const methods = methodsOf(report)
  const name = rewardName(judge, report)
  const values = report.arms.flatMap(({ evaluations }) => evaluations.flatMap(({ metrics }) => metrics[judge] ?? []))
  return methods.flatMap((method): Chart[] => {
    const look = lookOf(method, methods)
    const arms = report.arms
      .filter((arm) => arm.method === method)
      .map((arm) => ({
        arm,
        points: arm.evaluations.flatMap(({ step, metrics }) => {
          const measured = metrics[judge]
          return measured ? [{ x: step, y: measured.value, low: measured.low, high: measured.high }] : []
        }),
      }))
      .filter(({ points }) => points.length > 1)
    if (arms.length === 0) return []
    return [
      {
        title: methodLabel(method),
        description: `${methodLabel(method)}: ${name} on held-out prompts over training steps`,
        x: { name: 'step', min: 0, max: Math.max(...arms.map(({ points }) => points.at(-1)!.x)) },
        y: { name: `${name}, held out`, covers: values.map(({ value }) => value) },
        lines: arms.map(({ points }) => ({ points: points.map(({ x, y }) => [x, y] as const), ...look, width: 1.5 })),
        marks: arms.map(({ arm, points }) => ({
          ...{ ...look, size: 6, hollow: true },
          marks: points.map(({ x, y }, at) => ({
            ...{ x, y },
            ...(arms.length > 1 && at === points.length - 1 && { label: settingsLabel(arm, methodLabel(method)) }),
          })),
        })),
      },
    ]
  })
}

/** The same scale for the same metric. */
const valuesOf = (runs: readonly ReportRun[]): readonly number[] =>
  runs.flatMap(({ curve }) => curve!.points.map(([, value]) => value))

/** More points than a small picture has pixels say no more. */
const mostPoints = 400

function thinned<Point>(points: readonly Point[]): readonly Point[] {
  const every = Math.ceil(points.length / mostPoints)
  return points.filter((_, at) => at % every === 0 || at === points.length - 1)
}
