import { bootstrapInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'

/**
 * A statistic with a 95 % interval from the bootstrap that is moved by the bootstrap's own bias: the resamples of a biased
 * statistic (a calibration error, a standard deviation) lie around another value than the sample's.
 *
 * @param least the statistic is never below it
 */
export function bootstrapAround(
  count: number,
  statistic: (indices: Int32Array) => number,
  seed: number,
  least = -Infinity,
): Measurement {
  const drawn: number[] = []
  const { value, low, high } = bootstrapInterval(
    count,
    (indices) => {
      const found = statistic(indices)
      drawn.push(found)
      return found
    },
    { seed, resamples: 500 },
  )
  if (low === undefined || high === undefined) return { value, count }
  const [, ...resamples] = drawn
  const bias = resamples.reduce((sum, one) => sum + one, 0) / resamples.length - value
  return { value, low: Math.max(least, Math.min(value, low - bias)), high: Math.max(value, high - bias), count }
}
