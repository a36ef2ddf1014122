import type { WeightedMean } from '@collimate/core'

type Means = Readonly<Record<string, WeightedMean>>

/** The means of several updates as those of all of them: sums and counts add up. */
export function addMeans(several: readonly Means[]): Means {
  const all: Record<string, WeightedMean> = {}
  for (const means of several)
    for (const [name, { sum, count }] of Object.entries(means)) {
      const before = all[name] ?? { sum: 0, count: 0 }
      all[name] = { sum: before.sum + sum, count: before.count + count }
    }
  return all
}
