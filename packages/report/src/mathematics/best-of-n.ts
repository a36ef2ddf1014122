import { meanInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'
import type { PromptCompletions } from './frontier.js'

/** The policy that samples n completions of the reference and keeps the one with the highest reward. */
export interface BestOfN {
  readonly n: number
  /** log n − (n − 1)/n nats, Stiennon et al., arXiv 2009.01325; an upper bound where rewards tie (Beirami et al., 2401.01879). */
  readonly kl: number
  /** Of the kept completion: the reward that it was chosen by, and the others. */
  readonly rewards: Readonly<Record<string, Measurement>>
}

/**
 * Best-of-n from N ≥ n samples of each prompt, averaged over all subsets of n: the i-th smallest of N is the largest of
 * C(i − 1, n − 1) of the C(N, n) subsets (Nakano et al., arXiv 2112.09332, appendix I). Among equals any is kept.
 *
 * @param by name of the reward that chooses
 */
export function bestOfN(prompts: readonly PromptCompletions[], by: string, n: number): BestOfN {
  const kept = prompts.map(({ rewards }) => chances(rewards[by], n))
  const mean = (weights: Float64Array, values: ArrayLike<number>): number =>
    weights.reduce((sum, weight, at) => sum + weight * values[at], 0)
  return {
    n,
    kl: Math.log(n) - (n - 1) / n,
    rewards: Object.fromEntries(
      Object.keys(prompts[0].rewards).map((name) => [
        name,
        meanInterval(prompts.map(({ rewards }, x) => mean(kept[x], rewards[name]))),
      ]),
    ),
  }
}

/** [N] probability that a sample is the one that is kept of n drawn without replacement. */
export function chances(scores: ArrayLike<number>, n: number): Float64Array {
  const total = scores.length
  const order = Array.from({ length: total }, (_, at) => at).sort((a, b) => scores[a] - scores[b])
  const byRank = new Float64Array(total)
  // C(i − 1, n − 1)/C(N, n) is n/N for the largest; each rank below has (i − n)/(i − 1) of the one above.
  byRank[total - 1] = n / total
  for (let rank = total - 1; rank >= n; rank--) byRank[rank - 1] = (byRank[rank] * (rank + 1 - n)) / rank
  const result = new Float64Array(total)
  for (let start = 0; start < total;) {
    let end = start
    let sum = 0
    while (end < total && scores[order[end]] === scores[order[start]]) sum += byRank[end++]
    for (let rank = start; rank < end; rank++) result[order[rank]] = sum / (end - start)
    start = end
  }
  return result
}
