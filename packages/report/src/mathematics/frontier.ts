import { meanInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'
import { tilt, tiltedMean } from './tilt.js'

/** Completions of one prompt: all that there are, or samples. */
export interface PromptCompletions {
  /** [n] by the name of the reward. */
  readonly rewards: Readonly<Record<string, ArrayLike<number>>>
  /** [n] log π_ref of each, where they are all that there are. */
  readonly logProbs?: ArrayLike<number>
  /** [n] log π_ref/q of each, where they are samples of another distribution q than the reference. */
  readonly logWeights?: ArrayLike<number>
}

/** The best policy at one strength of the KL penalty; means over prompts with 95 % intervals. */
export interface FrontierPoint {
  /** Null where the policy is the reference: no reward pulls at it. */
  readonly beta: number | null
  readonly kl: Measurement
  /** Under that policy; the reward that it optimises and the others. */
  readonly rewards: Readonly<Record<string, Measurement>>
  /** Effective samples per prompt, mean over prompts; absent where completions are listed. */
  readonly effectiveSamples?: number
}

/** Fewest effective samples per prompt that a point of the frontier is drawn from. */
export const fewestEffectiveSamples = 10

/**
 * The most reward that any policy gets at its KL: points of π_β ∝ π_ref exp(r/β) from the reference on, in order of rising
 * KL. The optimum at each β is the optimum at its KL, so no policy lies above the line, whatever its method. An
 * estimated frontier is cut where fewer than `fewestEffectiveSamples` carry it. Samples of the reference alone end early:
 * n of them cannot show a KL above log n. Samples of a mixture of the reference with policies that were trained reach as far
 * as those have come.
 *
 * @param by name of the reward that is optimised
 */
export function frontier(prompts: readonly PromptCompletions[], by: string, betas: readonly number[]): FrontierPoint[] {
  const points: FrontierPoint[] = [pointAt(prompts, by, null)]
  for (const beta of [...betas].sort((a, b) => b - a)) {
    const point = pointAt(prompts, by, beta)
    if (point.effectiveSamples !== undefined && point.effectiveSamples < fewestEffectiveSamples) break
    points.push(point)
  }
  return points
}

function pointAt(prompts: readonly PromptCompletions[], by: string, beta: number | null): FrontierPoint {
  const tilted = prompts.map(({ rewards, logProbs, logWeights }) =>
    tilt(beta === null ? new Float64Array(rewards[by].length) : rewards[by], beta ?? 1, logProbs ?? logWeights),
  )
  const names = Object.keys(prompts[0].rewards)
  const sampled = prompts.every(({ logProbs }) => logProbs === undefined)
  const effective = tilted.reduce((sum, { effectiveSamples }) => sum + effectiveSamples, 0) / tilted.length
  return {
    beta,
    kl: meanInterval(tilted.map(({ kl }) => kl)),
    rewards: Object.fromEntries(
      names.map((name) => [name, meanInterval(prompts.map(({ rewards }, x) => tiltedMean(tilted[x], rewards[name])))]),
    ),
    ...(sampled && { effectiveSamples: effective }),
  }
}

/**
 * Strengths of the KL penalty that show a frontier whole: from where the reference hardly moves to where the best completion
 * has nearly all the weight, evenly on a logarithmic scale.
 *
 * @param spread standard deviation of the reward under the reference
 */
export function frontierBetas(spread: number, count = 40): number[] {
  if (!(spread > 0)) return []
  const [first, last] = [Math.log(32 * spread), Math.log(spread / 32)]
  return Array.from({ length: count }, (_, at) => Math.exp(first + ((last - first) * at) / (count - 1)))
}
