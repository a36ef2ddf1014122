import { CollimateError } from '@collimate/core'
import type { Example, Rollout, TrainerContext } from '@collimate/core'
import { checkDivergence } from './check-divergence.js'
import { tokenKl } from './kl-estimators.js'
import { rolloutOutputs } from './rollout-examples.js'
import { rowSums } from './rollout-metrics.js'
import { samplingOptions } from './rollout-options.js'
import type { RolloutOptions } from './rollout-options.js'
import { sampleRollouts } from './sample-rollouts.js'
import type { TextOf } from './sample-rollouts.js'
import { scoreRollouts } from './score-rollouts.js'
import type { Scores } from './score-rollouts.js'

/** One batch of rollouts with all that a trainer learns from. */
export interface RolloutBatch {
  readonly rollouts: readonly Rollout[]
  /** Completions of each prompt. */
  readonly groupSize: number
  readonly scores: Scores
  /** Per token of each completion, at the sampling temperature. */
  readonly logProbs: readonly Float64Array[]
  readonly refLogProbs: readonly Float64Array[]
  /** Mean over completions of Σ_t log π/π_ref (k1), nats: TRL's `objective/kl`. */
  readonly kl: number
}

export interface CollectRequest {
  readonly step: number
  readonly examples: readonly Example[]
  readonly options: RolloutOptions
  /** Prompts that were sampled in earlier steps: it numbers the random streams, so that no two samples share one. */
  readonly promptsBefore: number
  readonly text: TextOf
}

type Surroundings = Pick<TrainerContext, 'bus' | 'policy' | 'reference' | 'reward' | 'seed'>

/**
 * Samples completions of the prompts, has them scored, and computes the reference's log-probs; tells the bus of each.
 *
 * @throws CollimateError COLLIMATE_DIVERGED where the policy is further than `maxKl` from its reference
 */
export async function collectRollouts(context: Surroundings, request: CollectRequest): Promise<RolloutBatch> {
  const { bus, policy, seed } = context
  const { step, examples, options, promptsBefore, text } = request
  const { reference, reward } = required(context)
  const groupSize = options.numGenerations
  const microBatchSize = options.microBatchSize ?? options.batchSize

  let startedAt = performance.now()
  const seconds = (): number => {
    const now = performance.now()
    const passed = (now - startedAt) / 1000
    startedAt = now
    return passed
  }
  const sampled = await sampleRollouts(policy, text, {
    ...{ examples, groupSize, sampling: samplingOptions(options, seed), firstStream: promptsBefore * groupSize },
  })
  const rollouts = options.maskTruncatedCompletions ? sampled.map(maskedWhereTruncated) : sampled
  bus.emit('rollout.sampled', { step, rollouts, groupSize, seconds: seconds() })

  const scores = await scoreRollouts(reward, rollouts, options)
  bus.emit('rollout.scored', { step, rollouts, rewards: scores.totals, parts: scores.parts, seconds: seconds() })

  const { temperature } = options
  // Of all tokens, also those of masked rollouts: the KL is that of the policy, whatever is learnt from.
  const { logProbs: refLogProbs } = await rolloutOutputs(reference, sampled, ['logProbs'], {
    ...{ groupSize, microBatchSize, temperature },
  })
  const logProbs = rollouts.map((rollout) => Float64Array.from(rollout.logProbs))
  const perCompletion = rowSums(
    tokenKl('k1', logProbs, refLogProbs),
    sampled.map(({ mask }) => mask),
  )
  const kl = perCompletion.reduce((sum, value) => sum + value, 0) / perCompletion.length
  checkDivergence(kl, options.maxKl)
  return { rollouts, groupSize, scores, logProbs, refLogProbs, kl }
}

function maskedWhereTruncated(rollout: Rollout): Rollout {
  return rollout.endedBy === 'stop' ? rollout : { ...rollout, mask: new Uint8Array(rollout.mask.length) }
}

function required({ reference, reward }: Surroundings) {
  if (reference && reward) return { reference, reward }
  throw new CollimateError(
    'COLLIMATE_TRAINER_INCOMPLETE',
    'a trainer that learns from rollouts needs a reference and a reward',
    { hint: 'its plan must ask for both' },
  )
}
