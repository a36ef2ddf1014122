/** Probabilities of a categorical distribution from its logits. */
export function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits)
  const weights = logits.map((logit) => Math.exp(logit - most))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** REINFORCE, Williams 1992: E_y (r(y) − b) ∇ log π(y), where ∂ log π(y) / ∂ logit_j = [y = j] − π(j). */
export function reinforceGradient(
  logits: readonly number[],
  rewards: readonly number[],
  baseline: number,
): Float64Array {
  const probabilities = softmax(logits)
  const gradient = new Float64Array(logits.length)
  probabilities.forEach((probability, y) => {
    const weight = probability * (rewards[y] - baseline)
    probabilities.forEach((other, j) => (gradient[j] += weight * ((y === j ? 1 : 0) - other)))
  })
  return gradient
}
