import { CollimateError } from '@collimate/core'
import type { Granularity, RewardReply, RewardSource, Scorable } from '@collimate/core'

/** Rewards of rollouts, however fine the source gives them. */
export interface Scores {
  /** How fine the source gives them. */
  readonly granularity: Granularity
  /** [n] sum of all rewards of each rollout. */
  readonly totals: Float64Array
  /** For each rollout a reward per token of the completion: a reward of the whole comes with the last token. */
  readonly perToken: readonly Float64Array[]
  /** [n] by name, where the source says what its scores are made of. */
  readonly parts: Readonly<Record<string, Float64Array>>
}

export interface ScoreOptions {
  /** Taken off the reward of a completion that did not end by itself (TRL's `missing_eos_penalty`); default 0. */
  readonly missingEosPenalty?: number
}

/**
 * Asks a reward source and places what it says on the tokens.
 *
 * @throws CollimateError COLLIMATE_REWARD_NOT_FINITE, COLLIMATE_REWARD_INVALID where the reply does not fit the rollouts
 */
export async function scoreRollouts(
  reward: Pick<RewardSource, 'score'>,
  rollouts: readonly Scorable[],
  { missingEosPenalty = 0 }: ScoreOptions = {},
): Promise<Scores> {
  const reply = await reward.score({ rollouts })
  if (reply.scores.length !== rollouts.length)
    throw invalid(`${reply.scores.length} scores for ${rollouts.length} rollouts`)
  const perToken = rollouts.map((rollout, at) => {
    const rewards = onTokens(reply, rollout, at)
    if (rollout.endedBy === 'length' && rewards.length > 0) rewards[rewards.length - 1] -= missingEosPenalty
    return rewards
  })
  const totals = Float64Array.from(perToken, (rewards) => rewards.reduce((sum, value) => sum + value, 0))
  return { granularity: reply.granularity, totals, perToken, parts: reply.parts ?? {} }
}

function onTokens(reply: RewardReply, { completion }: Scorable, at: number): Float64Array {
  const { granularity, scores, stepEnds } = reply
  const given = scores[at]
  const { length } = completion.ids
  const wrong = given.findIndex((score) => !Number.isFinite(score))
  if (wrong !== -1)
    throw new CollimateError(
      'COLLIMATE_REWARD_NOT_FINITE',
      `the reward source scored rollout ${at} ${given[wrong]}: ${JSON.stringify(completion.text.slice(0, 80))}`,
      { hint: 'scores must be finite numbers' },
    )
  if (granularity === 'token') {
    if (given.length !== length) throw invalid(`${given.length} rewards for the ${length} tokens of rollout ${at}`)
    return Float64Array.from(given)
  }
  const ends = granularity === 'sequence' ? [length - 1] : Array.from(stepEnds?.[at] ?? [])
  if (ends.length !== given.length || ends.some((end) => end >= length))
    throw invalid(`${given.length} rewards at ${ends.length} places of rollout ${at}, which has ${length} tokens`)
  const rewards = new Float64Array(length)
  ends.forEach((end, step) => {
    if (end >= 0) rewards[end] += given[step]
  })
  return rewards
}

function invalid(problem: string): CollimateError {
  return new CollimateError('COLLIMATE_REWARD_INVALID', `the reward source gave ${problem}`, {
    hint: 'one number per rollout, or per step with stepEnds, or per token',
  })
}
