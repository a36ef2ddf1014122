/**
 * How much of the returns the critic foresaw: 1 − Var(R − V) / Var(R) over the tokens that count; 1 is all of it, 0 no more
 * than their mean. Undefined where all returns are equal.
 */
export function explainedVariance(
  returns: readonly Float64Array[],
  values: readonly Float64Array[],
  masks: readonly Uint8Array[],
): number | undefined {
  const real = (of: (at: number, token: number) => number): number[] =>
    masks.flatMap((mask, at) => Array.from(mask.keys()).flatMap((token) => (mask[token] === 0 ? [] : [of(at, token)])))
  const total = variance(real((at, token) => returns[at][token]))
  return total > 0 ? 1 - variance(real((at, token) => returns[at][token] - values[at][token])) / total : undefined
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length)
}
