import type { Model } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { calibrationBins } from './calibration.js'
import { endAtStop } from './end-at-stop.js'
import { marginOf } from './margin-of.js'
import { measurePairs, pairPredictions } from './measure-pairs.js'
import { rewardLossOptions } from './options.js'
import type { RewardOptions } from './options.js'
import { rewardMoments } from './reward-moments.js'
import { scorePairs } from './score-pairs.js'
import type { ScoredPair } from './score-pairs.js'
import type { Lots, Supervision } from './supervision.js'

/** Pairs of answers, of which one was preferred. A pair is one row of a batch: the prompt is computed once for both. */
export function outcomeSupervision({ centerRewardsCoefficient, normalise = true }: RewardOptions): Supervision {
  const lossOptions = rewardLossOptions.parse({ centerRewardsCoefficient })
  return {
    dataset: 'preference',
    data: {},
    objective: { use: 'reward', options: lossOptions },
    check: (pair) => void marginOf(pair),
    prepared: endAtStop,
    batches: (pairs, microBatchSize) =>
      microBatches(pairs, {
        microBatchSize,
        inputs: { margin: { unit: 'pairs', values: (pair) => [marginOf(pair)] } },
      }).batches,
    async judge({ policy, seed }, lots, microBatchSize) {
      const pairs = await scored(policy, lots, microBatchSize)
      return {
        measurements: measurePairs(pairs, lossOptions, seed),
        bins: calibrationBins(pairPredictions(pairs)),
      }
    },
    ...(normalise && {
      async normalisation(model, lots, microBatchSize) {
        const pairs = await scored(model, lots, microBatchSize)
        const moments = pairs.length > 0 ? rewardMoments(pairs) : undefined
        // Equal rewards have no scale.
        return moments && moments.std > 0 ? moments : undefined
      },
    }),
  }
}

async function scored(model: Pick<Model, 'outputs'>, lots: Lots, microBatchSize: number): Promise<ScoredPair[]> {
  const pairs: ScoredPair[] = []
  for await (const lot of lots) pairs.push(...(await scorePairs(model, lot, microBatchSize)))
  return pairs
}
