import { meanInterval, proportionInterval } from '@collimate/core'
import type { Measurement } from '@collimate/core'
import { centredBootstrap } from './centred-bootstrap.js'
import type { ScoredPair } from './score-pairs.js'

/** Pairs in which the answer of the higher reward is predicted to be preferred with a probability between `from` and `to`. */
export interface CalibrationBin {
  readonly from: number
  readonly to: number
  /** Mean of the predicted probabilities; absent where the bin is empty. */
  readonly predicted?: number
  /** Share of the pairs in which that answer was the chosen one, with Wilson's interval. */
  readonly observed: Measurement
}

declare module '@collimate/core' {
  interface CollimateEvents {
    /** How a reward model's preferences compare with those of the held-out pairs: the points of a calibration plot. */
    'calibration.measured': { readonly bins: readonly CalibrationBin[] }
  }
}

/** The favourite of a pair is the answer of the higher reward. */
interface Prediction {
  /** P(favourite ≻ other) = σ(|r_w − r_l|), from a half to 1. */
  readonly probability: number
  /** 1 where the favourite was the chosen answer, ½ where there is no favourite. */
  readonly right: number
}

const bins = 10

const predictionOf = ({ chosen, rejected }: ScoredPair): Prediction => ({
  probability: 1 / (1 + Math.exp(-Math.abs(chosen - rejected))),
  right: (Math.sign(chosen - rejected) + 1) / 2,
})

const binOf = ({ probability }: Prediction): number => Math.min(bins - 1, Math.floor((probability - 0.5) * 2 * bins))

/** The pairs in ten bins of equal width, by how sure the reward model is. A margin of the data plays no part. */
export function calibrationBins(pairs: readonly ScoredPair[]): readonly CalibrationBin[] {
  const predictions = pairs.map(predictionOf)
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
 * pairs, which has no such bias.
 */
export function calibrationMeasurements(pairs: readonly ScoredPair[], seed: number): Record<string, Measurement> {
  const predictions = pairs.map(predictionOf)
  const place = predictions.map(binOf)
  const excess = predictions.map(({ probability, right }) => probability - right)
  const error = (indices: Int32Array): number => {
    const sums = new Float64Array(bins)
    for (const i of indices) sums[place[i]] += excess[i]
    return sums.reduce((total, sum) => total + Math.abs(sum), 0) / indices.length
  }
  return {
    'eval_calibration/error': centredBootstrap(pairs.length, error, seed),
    'eval_calibration/overconfidence': meanInterval(excess),
  }
}
