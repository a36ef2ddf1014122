import { methodLabel } from '../records/arms.js'
import { tick } from '../page/numbers.js'
import { methodsOf, referenceName, rewardName, rewardsOf, settingsLabel } from '../page/words.js'
import type { Report, ReportArm } from '../report.js'
import type { Chart, Key, Mark } from './chart.js'
import { lookOf } from './colours.js'

/** Reward against KL, one picture per reward: every evaluation, joined along training, and the best that is possible. */
export function rewardAgainstKl(report: Report): { charts: readonly Chart[]; keys: readonly Key[] } {
  const shown = rewardsOf(report).filter((reward) => report.arms.some((arm) => pointsOf(arm, reward).length > 0))
  return { charts: shown.map((reward) => chartOf(report, reward)), keys: keysOf(report) }
}

function chartOf(report: Report, reward: string): Chart {
  const methods = methodsOf(report)
  const frontier = report.frontiers.find((one) => one.reward === reward)
  const edge = (frontier?.points ?? []).map(({ kl, rewards }) => ({ x: Math.sqrt(kl.value), ...rewards[reward] }))
  const best = report.bestOfN
  const name = rewardName(reward, report)
  return {
    title: name,
    description: `${name} against KL divergence to ${referenceName(report)}, for every method along training, with the frontier of the best policies`,
    // Gains grow with √KL at first, and one policy may lie ten times as far as another.
    x: {
      name: `KL to ${referenceName(report)}, nats per answer (square-root scale)`,
      ...{ min: 0, format: (root: number) => tick(root * root) },
    },
    y: { name: `${name}, mean per answer` },
    bands:
      edge.length > 1
        ? [{ colour: 'var(--ink)', points: edge.map(({ x, value, low = value, high = value }) => ({ x, low, high })) }]
        : [],
    lines: [
      ...(edge.length > 1
        ? [{ points: edge.map(({ x, value }) => [x, value] as const), colour: 'var(--ink)' as const, width: 2.5 }]
        : []),
      ...(best
        ? [
            {
              points: best.points.map(({ kl, rewards }) => [Math.sqrt(kl), rewards[reward].value] as const),
              ...({ colour: 'var(--soft)', dash: 'dashed', width: 2 } as const),
            },
          ]
        : []),
      ...report.arms.map((arm) => ({
        points: pointsOf(arm, reward).map(({ x, y }) => [x, y] as const),
        ...{ colour: lookOf(arm.method, methods).colour, width: 1.5, opacity: 0.6 },
      })),
    ],
    marks: report.arms.flatMap((arm) => {
      const points = pointsOf(arm, reward)
      if (points.length === 0) return []
      const look = lookOf(arm.method, methods)
      const last = { ...points[points.length - 1], label: settingsLabel(arm, methodLabel(arm.method)) }
      return [
        { marks: points.slice(0, -1).map(({ x, y }) => ({ x, y })), ...look, size: 4, hollow: true },
        { marks: [last], ...look, size: 11 },
      ]
    }),
  }
}

/** Where an arm was, in the order of training; last where it ended. */
function pointsOf(arm: ReportArm, reward: string): Mark[] {
  const along = arm.evaluations.map(({ metrics }) => metrics)
  // What was measured now takes the place of the last evaluation: the same policy.
  const all = arm.final?.['kl'] && arm.final[reward] ? [...along.slice(0, -1), arm.final] : along
  return all.flatMap(({ kl, [reward]: measured }) =>
    kl && measured
      ? [
          {
            ...{ x: root(kl.value), y: measured.value },
            ...(measured.low !== undefined && { low: measured.low, high: measured.high }),
            ...(kl.low !== undefined && kl.high !== kl.low && { left: root(kl.low), right: root(kl.high!) }),
          },
        ]
      : [],
  )
}

/** Where a KL lies on the axis; an estimate of a small one may fall below 0. */
const root = (kl: number): number => Math.sqrt(Math.max(0, kl))

function keysOf(report: Report): Key[] {
  const methods = methodsOf(report)
  const drawn = methods.filter((method) => report.arms.some((arm) => arm.method === method && arm.final?.['kl']))
  return [
    ...(report.frontiers.length > 0
      ? [{ label: 'frontier: the best possible at each KL', colour: 'var(--ink)', line: 'solid' } as const]
      : []),
    ...(report.bestOfN
      ? [
          {
            label: `best of n answers by ${rewardName(report.bestOfN.by, report)}`,
            colour: 'var(--soft)',
            line: 'dashed',
          } as const,
        ]
      : []),
    ...drawn.map((method): Key => ({ label: methodLabel(method), ...lookOf(method, methods), line: 'solid' })),
  ]
}
