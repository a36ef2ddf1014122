import type { RewardReply, RewardSource, Scorable } from '@collimate/core'
import type { Arbitrary } from 'fast-check'
import { near, require } from '../law.js'
import type { Claims } from '../suite.js'

/** What every law of reward sources is given. */
export interface RewardSubject {
  /** The source that the suite shares. */
  get(): Promise<RewardSource>
  /** One of the law's own; the law closes it. */
  fresh(): Promise<RewardSource>
  readonly rollouts: Arbitrary<Scorable[]>
  /** Rollouts that a source may refuse. */
  readonly oddRollouts: Arbitrary<Scorable[]>
  readonly tolerance: number
  readonly claims: Claims
  /** The score of a whole completion, computed another way. */
  readonly formula?: ((rollout: Scorable) => number | Promise<number>) | undefined
  /** Weight of each part of the score by name, where the source says what its scores are made of. */
  readonly weights?: Readonly<Record<string, number>> | undefined
}

/** Throws unless two lists of scores are equal up to rounding. */
export function sameScores(
  what: string,
  actual: readonly Float64Array[],
  expected: readonly Float64Array[],
  tolerance: number,
): void {
  require(actual.length === expected.length, `${what}: ${actual.length} scores, the law says ${expected.length}`)
  actual.forEach((scores, i) => {
    const wanted = expected[i]
    require(scores.length ===
      wanted.length, `${what}: rollout ${i} has ${scores.length} numbers, the law says ${wanted.length}`)
    scores.forEach((score, at) =>
      near(
        score,
        wanted[at],
        tolerance,
        `${what}: the score of rollout ${i}${scores.length > 1 ? `, place ${at},` : ''}`,
      ),
    )
  })
}

/** Throws unless a reply has, for each rollout, as many numbers as its granularity says. */
export function fitting({ granularity, scores }: RewardReply, rollouts: readonly Scorable[]): void {
  require(scores.length === rollouts.length, `${scores.length} scores for ${rollouts.length} rollouts`)
  require(['sequence', 'step', 'token'].includes(granularity), `the granularity is ${String(granularity)}`)
  scores.forEach((one, i) => {
    const { length } = rollouts[i].completion.ids
    require(one instanceof Float64Array, `the scores of rollout ${i} are no Float64Array`)
    if (granularity === 'sequence') require(one.length === 1, `${one.length} numbers for the whole of rollout ${i}`)
    if (granularity === 'token')
      require(one.length === length, `${one.length} numbers for the ${length} tokens of rollout ${i}`)
    if (granularity === 'step')
      require(one.length >= Math.min(1, length) &&
        one.length <= length, `${one.length} steps in the ${length} tokens of rollout ${i}`)
  })
}
