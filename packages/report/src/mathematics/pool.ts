import { meanInterval, proportionInterval, studentQuantile } from '@collimate/core'
import type { Measurement } from '@collimate/core'

const mean = (values: ArrayLike<number>): number => {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at]
  return sum / values.length
}

/** Variance of the mean of independent values, with Bessel's correction. */
const varianceOfMean = (values: ArrayLike<number>): number => {
  const centre = mean(values)
  let squares = 0
  for (let at = 0; at < values.length; at++) squares += (values[at] - centre) ** 2
  return squares / (values.length - 1) / values.length
}

/**
 * The mean of one number per seed and prompt, with a 95 % interval that holds for other seeds and other prompts: every
 * seed answers the same prompts, so the variance of the mean is that of seed means and that of prompt means together (a
 * little more than the truth: what is particular to a seed and a prompt counts in both). Degrees of freedom by
 * Satterthwaite, Biometrics 2 (1946). One seed alone gives the interval over prompts.
 *
 * @param values [seeds][prompts], at least one of each
 */
export function poolSeeds(values: readonly ArrayLike<number>[]): Measurement {
  const [seeds, prompts] = [values.length, values[0].length]
  if (seeds === 1) return meanInterval(values[0])
  const seedMeans = values.map(mean)
  if (prompts === 1) return meanInterval(seedMeans)
  const promptMeans = Float64Array.from({ length: prompts }, (_, prompt) => mean(values.map((row) => row[prompt])))
  return interval(mean(seedMeans), seeds * prompts, [
    { variance: varianceOfMean(seedMeans), degrees: seeds - 1 },
    { variance: varianceOfMean(promptMeans), degrees: prompts - 1 },
  ])
}

/**
 * The same for values from 0 to 1, such as wins: Wilson's interval for one seed and where all are alike, none that leaves 0 to 1.
 *
 * @param values [seeds][prompts]
 */
export function poolShares(values: readonly ArrayLike<number>[]): Measurement {
  const [first] = values
  if (values.length === 1) return proportionInterval(first.length * mean(first), first.length)
  const { value, low = value, high = value, count } = poolSeeds(values)
  // All alike: that they are for these prompts does not make it certain for others.
  if (low === high) return proportionInterval(first.length * value, first.length)
  return { value, low: Math.max(0, low), high: Math.min(1, high), ...(count !== undefined && { count }) }
}

/**
 * Measurements of several seeds on the same prompts as one, where only their means and intervals are known: the spread of
 * the means, and the mean of the variances within them, since the prompts are the same and more seeds do not make more of them.
 */
export function poolMeasurements(measurements: readonly Measurement[]): Measurement {
  const [first] = measurements
  if (measurements.length === 1) return first
  const count = measurements.reduce((sum, one) => sum + (one.count ?? 0), 0)
  const within = measurements.map(({ low, high, count: n }) =>
    low === undefined || high === undefined
      ? 0
      : ((high - low) / 2 / studentQuantile(Math.max(1, (n ?? 1000) - 1))) ** 2,
  )
  return interval(mean(measurements.map(({ value }) => value)), count, [
    { variance: varianceOfMean(measurements.map(({ value }) => value)), degrees: measurements.length - 1 },
    { variance: mean(within), degrees: Math.max(1, (first.count ?? 1000) - 1) },
  ])
}

function interval(
  value: number,
  count: number,
  parts: readonly { readonly variance: number; readonly degrees: number }[],
): Measurement {
  const variance = parts.reduce((sum, part) => sum + part.variance, 0)
  const known = { value, ...(count > 0 && { count }) }
  if (variance === 0) return { ...known, low: value, high: value }
  const degrees = variance ** 2 / parts.reduce((sum, part) => sum + part.variance ** 2 / part.degrees, 0)
  const half = studentQuantile(degrees) * Math.sqrt(variance)
  return { ...known, low: value - half, high: value + half }
}
