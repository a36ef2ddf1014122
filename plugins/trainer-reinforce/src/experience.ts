import { CollimateError } from '@collimate/core'
import type { Bus, Estimator, EstimatorRequest } from '@collimate/core'
import { penalisedRewards, ragged, rectangle, tokenKl } from '@collimate/rollouts'
import type { RolloutBatch } from '@collimate/rollouts'

/** What the updates of a step learn from; it does not change while they are made. */
export interface Experience extends RolloutBatch {
  /** k1 of each token, nats. */
  readonly tokenKl: readonly Float64Array[]
  /** Of each token of each completion. */
  readonly advantages: readonly Float64Array[]
  /** Total rewards, with the penalty where that is in the reward, of the completions that are learnt from. */
  readonly rewards: readonly number[]
}

export interface ExperienceRequest {
  readonly step: number
  /** β of a penalty in the reward; 0 where there is none. */
  readonly beta: number
  /** Moving mean of the rewards of earlier steps. */
  readonly meanReward: number | undefined
}

/** Rewards less the KL penalty, and their advantages; the bus is told what the estimator was asked and answered. */
export async function experienceOf(
  { bus, estimator }: { readonly bus: Bus; readonly estimator: Estimator },
  batch: RolloutBatch,
  { step, beta, meanReward }: ExperienceRequest,
): Promise<Experience> {
  const { rollouts, groupSize, scores, logProbs, refLogProbs } = batch
  const masks = rollouts.map(({ mask }) => mask)
  const kl = tokenKl('k1', logProbs, refLogProbs)
  const perToken = penalisedRewards(scores.perToken, kl, masks, beta)
  const { rows, width, data: rewards } = rectangle(perToken)
  const request: EstimatorRequest = {
    ...{ rows, width, rewards, groupSize },
    mask: Uint8Array.from(rectangle(masks).data),
    logProbs: rectangle(logProbs).data,
    refLogProbs: rectangle(refLogProbs).data,
    ...(meanReward !== undefined && { meanReward }),
  }
  const reply = await estimator.estimate(request)
  if (reply.advantages.length !== rows * width)
    throw new CollimateError(
      'COLLIMATE_ESTIMATE_INVALID',
      `the estimator gave ${reply.advantages.length} advantages for ${rows} rows of ${width}`,
    )
  bus.emit('advantages.estimated', { step, request, reply })
  return {
    ...batch,
    tokenKl: kl,
    advantages: ragged(
      reply.advantages,
      rollouts.map(({ completion }) => completion.ids.length),
    ),
    rewards: perToken.flatMap((row, at) =>
      masks[at].includes(1) ? [row.reduce((sum, reward) => sum + reward, 0)] : [],
    ),
  }
}

/**
 * [n] the advantage of each completion as one action.
 *
 * @throws CollimateError COLLIMATE_ESTIMATE_INVALID where the tokens of a completion have different advantages
 */
export function advantagesOfSequences({ rollouts, advantages }: Experience): Float64Array {
  return Float64Array.from(rollouts, ({ mask }, at) => {
    const real = advantages[at].filter((_, token) => mask[token] !== 0)
    if (real.some((advantage) => advantage !== real[0]))
      throw new CollimateError(
        'COLLIMATE_ESTIMATE_INVALID',
        `the tokens of completion ${at} have different advantages, and importanceSamplingLevel "sequence" takes it for one action`,
        { hint: 'set importanceSamplingLevel of the trainer to token, or take the estimator sequence' },
      )
    return real[0] ?? 0
  })
}
