/** Confidence intervals: pure functions, 95 % unless told. */
import type { Measurement } from './contracts/trainer.js'
import { fraction, stream } from './random.js'

/** Two-sided 95 % quantile of the standard normal distribution. */
const NORMAL_QUANTILE = 1.959963984540054

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const STUDENT_QUANTILES = [
  12.7062047362, 4.3026527297, 3.1824463053, 2.7764451052, 2.5705818356, 2.4469118511, 2.3646242516, 2.3060041352,
  2.2621571628, 2.228138852, 2.2009851601, 2.1788128297, 2.1603686565, 2.1447866879, 2.1314495456, 2.1199052992,
  2.1098155778, 2.1009220402, 2.0930240544, 2.0859634473, 2.0796138447, 2.0738730679, 2.0686576104, 2.0638985616,
  2.0595385528, 2.0555294386, 2.0518305165, 2.0484071418, 2.0452296421, 2.0422724563,
]

/**
 * Two-sided 95 % quantile of Student's t; between whole degrees of freedom, which Satterthwaite's formula gives, linear in
 * 1 / degrees, so that rounding does not move it, and below 1 that of 1. Beyond 30 degrees of freedom by the Cornish-Fisher expansion, Abramowitz and
 * Stegun 26.7.5, whose error there is below 1e-5.
 */
export function studentQuantile(degrees: number): number {
  if (degrees <= 1) return STUDENT_QUANTILES[0]
  if (degrees <= STUDENT_QUANTILES.length) {
    const below = Math.min(Math.floor(degrees), STUDENT_QUANTILES.length - 1)
    const [wide, narrow] = [STUDENT_QUANTILES[below - 1], STUDENT_QUANTILES[below]]
    return narrow + (wide - narrow) * ((1 / degrees - 1 / (below + 1)) / (1 / below - 1 / (below + 1)))
  }
  const z = NORMAL_QUANTILE
  const g1 = (z ** 3 + z) / 4
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384
  return z + g1 / degrees + g2 / degrees ** 2 + g3 / degrees ** 3
}

/** The mean with Student's 95 % interval; without an interval for fewer than two values, NaN-free for at least one. */
export function meanInterval(values: ArrayLike<number>): Measurement {
  const count = values.length
  if (count === 0) return { value: 0, count: 0 }
  let mean = 0
  let squares = 0
  // Welford, Technometrics 4 (1962): one pass without cancellation.
  for (let i = 0; i < count; i++) {
    const delta = values[i] - mean
    mean += delta / (i + 1)
    squares += delta * (values[i] - mean)
  }
  if (count === 1) return { value: mean, count }
  const half = studentQuantile(count - 1) * Math.sqrt(squares / (count - 1) / count)
  return { value: mean, low: mean - half, high: mean + half, count }
}

/**
 * A proportion with Wilson's 95 % score interval (J. Am. Stat. Assoc. 22, 1927): it stays within [0, 1] and is honest
 * for few trials and for none or all. Ties may be counted as half a success.
 */
export function proportionInterval(successes: number, count: number): Measurement {
  if (count === 0) return { value: 0, low: 0, high: 1, count: 0 }
  const share = successes / count
  const zz = NORMAL_QUANTILE ** 2
  const centre = (share + zz / (2 * count)) / (1 + zz / count)
  const half =
    (NORMAL_QUANTILE / (1 + zz / count)) * Math.sqrt((share * (1 - share)) / count + zz / (4 * count * count))
  // At the ends the interval touches 0 or 1 exactly; rounding must not push it off the value.
  const low = successes <= 0 ? 0 : Math.max(0, centre - half)
  const high = successes >= count ? 1 : Math.min(1, centre + half)
  return { value: share, low, high, count }
}

/**
 * Any statistic of a sample with its percentile bootstrap interval (Efron, Ann. Statist. 7, 1979). `statistic` gets the
 * indices of a resample; numbers come from the seeded generator.
 */
export function bootstrapInterval(
  count: number,
  statistic: (indices: Int32Array) => number,
  { seed, resamples = 1000 }: { seed: number; resamples?: number },
): Measurement {
  const indices = Int32Array.from({ length: count }, (_, i) => i)
  const value = statistic(indices)
  if (count < 2) return { value, count }
  const values = new Float64Array(resamples)
  for (let r = 0; r < resamples; r++) {
    const which = stream('bootstrap', r)
    for (let i = 0; i < count; i++) indices[i] = Math.floor(fraction(seed, which, i) * count)
    values[r] = statistic(indices)
  }
  values.sort()
  const at = (share: number): number => {
    const place = share * (resamples - 1)
    const below = Math.floor(place)
    const above = Math.min(resamples - 1, below + 1)
    return values[below] + (place - below) * (values[above] - values[below])
  }
  return { value, low: at(0.025), high: at(0.975), count }
}
