import type { ReportCalibration } from '../report.js'
import { percent } from '../page/numbers.js'
import type { Chart } from './chart.js'

/** How sure a reward model is of the better answer of a pair, and how often it is right. */
export function calibrationChart({ label, bins }: ReportCalibration): Chart {
  return {
    title: label,
    description: `${label}: predicted probability of the preferred answer against the share in which it was preferred`,
    x: { name: 'predicted: how sure it is', min: 0.5, max: 1, format: percent },
    y: {
      ...{ name: 'observed: how often it is right', max: 1, format: percent },
      min: Math.min(0.4, ...bins.map(({ observed: { low = 1 } }) => Math.floor(10 * low) / 10)),
    },
    lines: [
      {
        points: [
          [0.5, 0.5],
          [1, 1],
        ],
        colour: 'var(--soft)',
        width: 1.5,
        dash: 'dashed',
      },
    ],
    marks: [
      {
        marks: bins.map(({ predicted, observed: { value, low, high } }) => ({
          ...{ x: predicted, y: value },
          ...(low !== undefined && high !== undefined && { low, high }),
        })),
        ...{ colour: 'var(--purple)', shape: 'circle', size: 9 },
      },
    ],
  }
}
