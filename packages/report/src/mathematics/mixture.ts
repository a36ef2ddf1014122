import { logSumExp } from './tilt.js'

/**
 * log π_ref/q of samples of a mixture q of policies, of which the reference is the first: the balance heuristic of multiple
 * importance sampling (Veach and Guibas, SIGGRAPH 1995). Since the reference takes part, no weight exceeds the inverse
 * of its share.
 *
 * @param logProbs [policies][n] log-probability of every sample under every policy
 * @param counts [policies] how many of the samples are its own
 */
export function mixtureWeights(logProbs: readonly ArrayLike<number>[], counts: readonly number[]): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return Float64Array.from(logProbs[0], (reference, at) => {
    const parts = logProbs.map((row, policy) => row[at] + Math.log(counts[policy] / total))
    return reference - logSumExp(parts)
  })
}
