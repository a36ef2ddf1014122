import { gainsOf, referenceRewards } from '../build/report-fits.js'
import { proxyOf } from '../build/names.js'
import { gainAt } from '../mathematics/over-optimisation.js'
import { methodsOf, referenceName, rewardName, rewardsOf } from '../page/words.js'
import { methodLabel } from '../records/arms.js'
import type { Report } from '../report.js'
import type { Chart, Colour, Key, Shape } from './chart.js'

interface Side {
  readonly reward: string
  readonly colour: Colour
  readonly shape: Shape
  readonly hollow: boolean
}

/**
 * What training sees and what is really wanted, against the distance from the reference: one picture per method, with
 * the curves of Gao et al. Empty where there is but one reward.
 */
export function overOptimisation(report: Report): { charts: readonly Chart[]; keys: readonly Key[] } {
  const rewards = rewardsOf(report)
  const proxy = proxyOf(rewards)
  const gold = rewards.find((name) => name !== proxy)
  const start = referenceRewards(report.arms)
  if (proxy === undefined || gold === undefined || start[proxy] === undefined || start[gold] === undefined)
    return { charts: [], keys: [] }
  const sides: readonly Side[] = [
    { reward: proxy, colour: 'var(--red)', shape: 'circle', hollow: true },
    { reward: gold, colour: 'var(--blue)', shape: 'circle', hollow: false },
  ]
  const trained = methodsOf(report).filter((method) => report.fits.some((fit) => fit.method === method))
  const charts = [
    ...trained.map((method) => ofMethod(report, method, sides, start)),
    ...(report.bestOfN ? [ofBestOfN(report, report.bestOfN, sides)] : []),
  ]
  return {
    charts,
    keys: [
      ...sides.map(({ reward, colour, shape, hollow }) => ({
        ...{ label: rewardName(reward, report), colour, shape, hollow },
      })),
      { label: 'fitted curve', colour: 'var(--soft)', line: 'solid' },
    ],
  }
}

function axes(report: Report, title: string): Pick<Chart, 'title' | 'x' | 'y' | 'description'> {
  return {
    ...{ title, x: { name: '√KL, √nats', min: 0 }, y: { name: `gain over ${referenceName(report)}` } },
    description: `${title}: gain in what training sees and in what is wanted, against the square root of the KL divergence`,
  }
}

function ofMethod(
  report: Report,
  method: string,
  sides: readonly Side[],
  start: Readonly<Record<string, number>>,
): Chart {
  const arms = report.arms.filter((arm) => arm.method === method && !arm.isReference)
  const gains = sides.map(({ reward }) => arms.flatMap((arm) => gainsOf(arm, reward, start[reward])))
  const far = Math.max(...gains.flat().map(({ distance }) => distance))
  return {
    ...axes(report, methodLabel(method)),
    lines: [zero(far), ...sides.flatMap((side) => fitted(report, method, side, far))],
    marks: sides.map(({ colour, shape, hollow }, at) => ({
      ...{ colour, shape, hollow, size: 7 },
      marks: gains[at].map(({ distance, gain }) => ({ x: distance, y: gain })),
    })),
  }
}

function ofBestOfN(report: Report, { points }: NonNullable<Report['bestOfN']>, sides: readonly Side[]): Chart {
  const far = Math.sqrt(points[points.length - 1].kl)
  return {
    ...axes(report, 'best of n'),
    lines: [zero(far), ...sides.flatMap((side) => fitted(report, 'best-of-n', side, far))],
    marks: sides.map(({ reward, colour, shape, hollow }) => ({
      ...{ colour, shape, hollow, size: 7 },
      marks: points.map(({ kl, rewards }) => ({
        ...{ x: Math.sqrt(kl), y: rewards[reward].value - points[0].rewards[reward].value },
      })),
    })),
  }
}

const zero = (far: number) =>
  ({
    points: [
      [0, 0],
      [far, 0],
    ],
    colour: 'var(--soft)',
    width: 1,
    dash: 'dotted',
  }) as const

function fitted(report: Report, method: string, { reward, colour }: Side, far: number) {
  const fit = report.fits.find((one) => one.method === method && one.reward === reward)
  if (!fit) return []
  const points = Array.from({ length: 61 }, (_, at) => [(far * at) / 60, gainAt(fit, (far * at) / 60)] as const)
  return [{ points, colour, width: 1.5, opacity: 0.7 }]
}
