import type { ScoredPair } from './score-pairs.js'

/** Mean and standard deviation (Bessel's, as torch.std) of the rewards of both answers of all pairs, of which there is at least one. */
export function rewardMoments(pairs: readonly ScoredPair[]): { readonly mean: number; readonly std: number } {
  const rewards = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected])
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length
  const squares = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0)
  return { mean, std: Math.sqrt(squares / (rewards.length - 1)) }
}
