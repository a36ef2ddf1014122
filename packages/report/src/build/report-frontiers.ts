import { bestOfN } from '../mathematics/best-of-n.js'
import { fewestEffectiveSamples, frontier, frontierBetas } from '../mathematics/frontier.js'
import type { PromptCompletions } from '../mathematics/frontier.js'
import type { Measured } from '../measured.js'
import type { Report } from '../report.js'
import { proxyOf } from './names.js'

/** The best that can be had of samples of the reference: frontiers for each reward, and best-of-n by the one of training. */
export function reportFrontiers(measured: Measured | undefined): Pick<Report, 'frontiers' | 'bestOfN'> {
  const sampled = measured?.frontier
  if (!sampled || sampled.reference.length === 0) return { frontiers: [] }
  const { reference, mixture, samplesPerPrompt, policies } = sampled
  const names = Object.keys(reference[0].rewards)
  const proxy = proxyOf(names)
  const frontiers = names.map((reward) => ({
    ...{ reward, prompts: reference.length, samplesPerPrompt, policies: [...policies], fewestEffectiveSamples },
    points: frontier(mixture, reward, frontierBetas(spreadWithin(reference, reward))).map((point) => ({
      ...point,
      rewards: { ...point.rewards },
    })),
  }))
  if (proxy === undefined) return { frontiers }
  // Of more than a quarter of the samples the best ones are nearly always the same.
  const counts = Array.from({ length: 20 }, (_, power) => 2 ** power).filter(
    (n) => n === 1 || n <= samplesPerPrompt / 4,
  )
  const points = counts
    .map((n) => bestOfN(reference, proxy, n))
    .map((point) => ({ ...point, rewards: { ...point.rewards } }))
  return { frontiers, bestOfN: { by: proxy, points } }
}

/** Root of the mean variance within prompts. */
function spreadWithin(prompts: readonly PromptCompletions[], reward: string): number {
  const variances = prompts.map(({ rewards }) => {
    const values = Array.from(rewards[reward])
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  })
  return Math.sqrt(variances.reduce((sum, variance) => sum + variance, 0) / variances.length)
}
