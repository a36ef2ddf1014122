import type { TensorData, UpdateReport, WeightedMean } from '@collimate/core'
import type { MetricDescription, ObjectiveProgram } from './objective-program.js'

type Report = Pick<UpdateReport, 'loss' | 'metrics' | 'microBatches'>

/** Loss and metrics of an update from the outputs of its micro-batches, each the outputs of an objective program. */
export function objectiveReport(
  { terms, metrics }: Pick<ObjectiveProgram, 'terms' | 'metrics'>,
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
  const extremeOf = (name: string, parts: typeof outputs, of: (...values: number[]) => number): WeightedMean => {
    const counted = parts.filter((part) => part[`${name}.count`][0] > 0)
    if (counted.length === 0) return { sum: 0, count: 0 }
    return { sum: of(...counted.map((part) => part[`${name}.sum`][0])), count: 1 }
  }
  const metricOf = ({ name, extreme }: MetricDescription, parts: typeof outputs): WeightedMean =>
    extreme === undefined
      ? meanOf(`metric.${name}`, parts)
      : extremeOf(`metric.${name}`, parts, extreme === 'least' ? Math.min : Math.max)
  const metricsOf = (parts: typeof outputs): Record<string, WeightedMean> =>
    Object.fromEntries(metrics.map((metric) => [metric.name, metricOf(metric, parts)]))
  const of = (parts: typeof outputs) => ({ loss: lossOf(parts), metrics: metricsOf(parts) })
  return { ...of(outputs), microBatches: outputs.map((part) => of([part])) }
}
