/** log σ(x) = −log(1 + exp(−x)), finite wherever x is. */
export const logSigmoid = (x: number): number => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)))

/** σ(x), without overflow. */
export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))

/** log of the mean of exp(values), without overflow; −Infinity for no values. */
export function logMeanExp(values: readonly number[]): number {
  const most = Math.max(...values)
  if (!Number.isFinite(most)) return most
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0) / values.length)
}

/** P(a ≻ b) = σ(r_a − r_b), Bradley and Terry, Biometrika 39 (1952). */
export const bradleyTerry = (a: number, b: number): number => sigmoid(a - b)

/** exp(x) − 1 − x to full relative precision, near 0 by its series. */
export function expm1MinusX(x: number): number {
  if (Math.abs(x) > 0.05) return Math.expm1(x) - x
  let [sum, term] = [0, x]
  for (let k = 2; k < 14; k++) sum += term *= x / k
  return sum
}
