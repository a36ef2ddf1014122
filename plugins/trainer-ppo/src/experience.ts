import type { Bus, Estimator, EstimatorRequest } from '@collimate/core'
import { penalisedRewards, ragged, rectangle, rolloutOutputs, tokenKl, whiten } from '@collimate/rollouts'
import type { RolloutBatch } from '@collimate/rollouts'
import type { Critic } from './critic.js'
import { finalValues } from './final-values.js'
import type { PpoOptions } from './options.js'

/** Numbers per token of each completion. */
type PerToken = readonly Float64Array[]

/** What the updates of a step learn from; it does not change while they are made. */
export interface Experience extends RolloutBatch {
  /** Of the policy that sampled, at the sampling temperature. */
  readonly oldLogProbs: PerToken
  /** Estimates of the KL of each token, nats. */
  readonly tokenKl: PerToken
  /** Of the critic as it was when the completions were sampled: the value of the state before each token. */
  readonly oldValues: PerToken
  readonly advantages: PerToken
  readonly returns: PerToken
}

export interface ExperienceRequest {
  readonly step: number
  readonly critic: Critic
  /** β of this step. */
  readonly beta: number
  readonly options: PpoOptions
}

/** Values, rewards per token and advantages of rollouts; the bus is told what the estimator was asked and answered. */
export async function experienceOf(
  { bus, estimator }: { readonly bus: Bus; readonly estimator: Estimator },
  batch: RolloutBatch,
  { step, critic, beta, options }: ExperienceRequest,
): Promise<Experience> {
  const { rollouts, groupSize, logProbs, refLogProbs } = batch
  const layout = { groupSize, microBatchSize: options.microBatchSize ?? options.batchSize }
  const { values } = await rolloutOutputs(critic.model, rollouts, ['values'], layout)

  const kl = tokenKl(options.klEstimator, logProbs, refLogProbs)
  const masks = rollouts.map((rollout) => rollout.mask)
  const mask = Uint8Array.from(rectangle(masks).data)
  const earned = options.bootstrapTruncated ? withoutScoresOfCut(batch) : batch.scores.perToken
  const { rows, width, data: rewards } = rectangle(penalisedRewards(earned, kl, masks, beta))
  const request: EstimatorRequest = {
    ...{ rows, width, mask, groupSize },
    rewards: options.whitenRewards ? whiten(rewards, mask, { keepMean: true }) : rewards,
    values: rectangle(values).data,
    logProbs: rectangle(logProbs).data,
    refLogProbs: rectangle(refLogProbs).data,
    ...(options.bootstrapTruncated && { finalValues: await finalValues(critic.model, rollouts, layout) }),
  }
  const reply = await estimator.estimate(request)
  bus.emit('advantages.estimated', { step, request, reply })
  const lengths = rollouts.map(({ completion }) => completion.ids.length)
  return {
    ...batch,
    ...{ oldLogProbs: logProbs, tokenKl: kl, oldValues: values },
    advantages: ragged(reply.advantages, lengths),
    returns: ragged(reply.returns, lengths),
  }
}

/** A completion that was cut has no score of the whole: it was not finished. Rewards of its tokens and steps are its own. */
function withoutScoresOfCut({ rollouts, scores }: RolloutBatch): PerToken {
  if (scores.granularity !== 'sequence') return scores.perToken
  return scores.perToken.map((rewards, at) => (rollouts[at].endedBy === 'length' ? rewards.map(() => 0) : rewards))
}
