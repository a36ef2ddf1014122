import { proportionInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'
import { bootstrapAround } from './bootstrap-around.js'

/** What a model says of two things that can be, the likelier of which is its favourite. */
export interface Prediction {
  /** Of the favourite, from a half to 1. */
  readonly probability: number
  /** 1 where the favourite is what was, 0 where it is not, ½ where there is no favourite. */
  readonly right: number
}

/** A prediction from the log-odds of what was: σ(logOdds) is its predicted probability. */
export const predictionOf = (logOdds: number): Prediction => ({
  probability: 1 / (1 + Math.exp(-Math.abs(logOdds))),
  right: (Math.sign(logOdds) + 1) / 2,
})

/** Predictions with a probability between `from` and `to`: a point of a calibration plot. */
export interface CalibrationBin {
  readonly from: number
  readonly to: number
  /** Mean of the predicted probabilities; absent where the bin is empty. */
  readonly predicted?: number
  /** Share of the predictions that were right, with Wilson's interval. */
  readonly observed: Measurement
}

declare module '@collimate/core' {
  interface CollimateEvents {
    /** How sure a reward model is of what the held-out labels say, and how often it is right: the points of a plot. */
    'calibration.measured': { readonly bins: readonly CalibrationBin[] }
  }
}

const bins = 10

const binOf = ({ probability }: Prediction): number => Math.min(bins - 1, Math.floor((probability - 0.5) * 2 * bins))

/** The predictions in ten bins of equal width, by how sure they are. */
export function calibrationBins(predictions: readonly Prediction[]): readonly CalibrationBin[] {
  return Array.from({ length: bins }, (_, bin) => {
    const inside = predictions.filter((prediction) => binOf(prediction) === bin)
    const right = inside.reduce((sum, prediction) => sum + prediction.right, 0)
    const predicted = inside.reduce((sum, { probability }) => sum + probability, 0) / inside.length
    return {
      ...{ from: 0.5 + bin / (2 * bins), to: 0.5 + (bin + 1) / (2 * bins) },
      ...(inside.length > 0 && { predicted }),
      observed: proportionInterval(right, inside.length),
    }
  })
}

/**
 * Two measurements of the same: the expected calibration error Σ_b n_b/n |predicted_b − observed_b| (Guo et al., arXiv
 * 1706.04599, eq. 3; its estimate is too great where bins are small), and the overconfidence, predicted less observed over all
 * predictions, which has no such bias. Predictions of one row of the data are drawn together in the bootstrap.
 */
export function calibrationMeasurements(
  rows: readonly (readonly Prediction[])[],
  seed: number,
): Record<string, Measurement> {
  const all = rows.map((row) =>
    row.map((prediction) => ({ bin: binOf(prediction), excess: prediction.probability - prediction.right })),
  )
  const statistic =
    (of: (sums: Float64Array) => number) =>
    (indices: Int32Array): number => {
      const sums = new Float64Array(bins)
      let count = 0
      for (const i of indices)
        for (const { bin, excess } of all[i]) {
          sums[bin] += excess
          count += 1
        }
      return of(sums) / Math.max(1, count)
    }
  const error = statistic((sums) => sums.reduce((total, sum) => total + Math.abs(sum), 0))
  const overconfidence = statistic((sums) => sums.reduce((total, sum) => total + sum, 0))
  return {
    'eval_calibration/error': bootstrapAround(rows.length, error, seed, 0),
    'eval_calibration/overconfidence': bootstrapAround(rows.length, overconfidence, seed),
  }
}
