/**
 * The moving mean of rewards after a step: m ← d m + (1 − d) mean R; the first step's mean where there was none. A step from
 * which nothing is learnt leaves it as it is.
 */
export function movedMean(
  before: number | undefined,
  rewards: readonly number[],
  decay: number,
): { readonly meanReward?: number } {
  if (rewards.length === 0) return before === undefined ? {} : { meanReward: before }
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length
  return { meanReward: before === undefined ? mean : decay * before + (1 - decay) * mean }
}
