import { meanMetrics } from '@collimate/core'
import type { UpdateReport } from '@collimate/core'
import { addMeans, lengthMetrics, rewardMetrics } from '@collimate/rollouts'
import type { Experience } from './experience.js'
import type { Learned } from './learn.js'

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * What a step sampled, in the names of TRL's RLOO. `kl` is the mean over all sampled tokens of log π/π_ref, `objective/kl` the
 * mean over completions of its sum, both also of completions that are not learnt from; rewards are those before any penalty.
 */
export function rolloutMetrics({ rollouts, scores, groupSize, kl }: Experience): Record<string, number> {
  const tokens = rollouts.reduce((count, { completion }) => count + completion.ids.length, 0)
  return {
    ...rewardMetrics(scores, groupSize),
    kl: tokens === 0 ? 0 : (kl * rollouts.length) / tokens,
    'objective/kl': kl,
    ...lengthMetrics(rollouts),
  }
}

/** What the updates of a step reported: means over all of them, and the extremes of the clipping among them. */
export function updateMetrics({ reports, skipped }: Learned): Record<string, number> {
  const shares = (name: string): number[] =>
    reports.flatMap(({ metrics: { [name]: share } }: UpdateReport) =>
      share !== undefined && share.count > 0 ? [share.sum / share.count] : [],
    )
  const { lossScale } = reports.at(-1) ?? {}
  const [low, high] = [shares('clip_ratio/low_mean'), shares('clip_ratio/high_mean')]
  return {
    ...(reports.length > 0 && { loss: mean(reports.map(({ loss }) => loss)) }),
    ...meanMetrics(addMeans(reports.map(({ metrics }) => metrics))),
    ...(low.length > 0 && { 'clip_ratio/low_min': Math.min(...low), 'clip_ratio/high_max': Math.max(...high) }),
    ...(reports.length > 0 && { grad_norm: mean(reports.map(({ gradNorm }) => gradNorm)) }),
    ...(lossScale !== undefined && { loss_scale: lossScale }),
    ...(skipped > 0 && { skipped_updates: skipped }),
  }
}
