import { fitGain } from '../mathematics/over-optimisation.js'
import type { GainAtDistance } from '../mathematics/over-optimisation.js'
import type { Report, ReportArm } from '../report.js'

/** Rewards of the reference, from where gains are counted: measured now, else before the first step of a run. */
export function referenceRewards(arms: readonly ReportArm[]): Readonly<Record<string, number>> {
  const reference = arms.find(({ isReference, final }) => isReference && final)?.final
  const start = arms.flatMap(({ evaluations }) => evaluations).find(({ step, metrics }) => step === 0 && metrics['kl'])
  const metrics = reference ?? start?.metrics ?? {}
  return Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]))
}

/** Every policy of an arm of which KL and reward are known: along training, and at the end. */
export function gainsOf(arm: ReportArm, reward: string, start: number): readonly GainAtDistance[] {
  const along = arm.evaluations.map(({ metrics }) => metrics)
  const last = arm.final && arm.runs.length > 0 ? [arm.final] : []
  return [...along, ...last].flatMap(({ kl, [reward]: measured }) =>
    kl && measured ? [{ distance: Math.sqrt(Math.max(0, kl.value)), gain: measured.value - start }] : [],
  )
}

/** Gao et al., arXiv 2210.10760: their form for trained policies to each method, that of best-of-n to best-of-n. */
export function reportFits(
  arms: readonly ReportArm[],
  rewards: readonly string[],
  best: Report['bestOfN'],
): Report['fits'] {
  const start = referenceRewards(arms)
  const methods = [...new Set(arms.filter(({ isReference }) => !isReference).map(({ method }) => method))]
  return rewards
    .filter((reward) => start[reward] !== undefined)
    .flatMap((reward) => {
      const trained = methods.flatMap((method) => {
        const own = arms.filter((arm) => arm.method === method && !arm.isReference)
        const fit = fitGain(
          own.flatMap((arm) => gainsOf(arm, reward, start[reward])),
          'rl',
        )
        return fit ? [{ method, reward, ...fit }] : []
      })
      const points = best?.points ?? []
      const sampled = fitGain(
        points.map(({ kl, rewards: kept }) => ({
          distance: Math.sqrt(kl),
          gain: kept[reward].value - points[0].rewards[reward].value,
        })),
        'best-of-n',
      )
      return [...trained, ...(sampled ? [{ method: 'best-of-n', reward, ...sampled }] : [])]
    })
}
