import type { TensorData, UpdateReport, WeightedMean } from '@collimate/core'
import type { ObjectiveProgram } from './objective-program.js'

type Report = Pick<UpdateReport, 'loss' | 'metrics' | 'microBatches'>

/** Loss and metrics of an update from the outputs of its micro-batches, each the outputs of an objective program. */
export function objectiveReport(
  { terms, metricNames }: Pick<ObjectiveProgram, 'terms' | 'metricNames'>,
  outputs: readonly Readonly<Record<string, TensorData>>[],
): Report {
  const meanOf = (name: string, parts: typeof outputs): WeightedMean => ({
    sum: parts.reduce((total, part) => total + part[`${name}.sum`][0], 0),
    count: parts.reduce((total, part) => total + part[`${name}.count`][0], 0),
  })
  const lossOf = (parts: typeof outputs): number =>
    terms.reduce((loss, { weight }, i) => {
      const { sum, count } = meanOf(`term.${i}`, parts)
      return loss + (count > 0 ? (weight * sum) / count : 0)
    }, 0)
  const metricsOf = (parts: typeof outputs): Record<string, WeightedMean> =>
    Object.fromEntries(metricNames.map((name) => [name, meanOf(`metric.${name}`, parts)]))
  const of = (parts: typeof outputs) => ({ loss: lossOf(parts), metrics: metricsOf(parts) })
  return { ...of(outputs), microBatches: outputs.map((part) => of([part])) }
}
