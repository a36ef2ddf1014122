// Scalar functions in float64, stable over the whole range.

export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** log(1 + exp(x)). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** Error function to float64 precision (Abramowitz and Stegun 7.1.6, and 7.1.14 for the tail). */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x
  const magnitude = Math.abs(x)
  if (magnitude > 6) return Math.sign(x)
  const square = magnitude * magnitude
  if (magnitude < 2.5) {
    let term = magnitude
    let sum = term
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * square) / (2 * n + 1)
      sum += term
    }
    return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * Math.exp(-square) * sum
  }
  let fraction = 0
  for (let n = 80; n > 0; n--) fraction = n / 2 / (magnitude + fraction)
  const tail = Math.exp(-square) / Math.sqrt(Math.PI) / (magnitude + fraction)
  return Math.sign(x) * (1 - tail)
}

const { SQRT1_2, PI } = Math

export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * SQRT1_2))
}

/** Hendrycks and Gimpel 2016, tanh approximation. */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / PI) * (x + 0.044715 * x * x * x)))
}
