import type { RewardReply } from '@collimate/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scoreRollouts } from './score-rollouts.js'
import { rolloutOf } from './testing.js'

const replying = (reply: RewardReply) => ({ score: async () => reply })
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error

test('a reward of the whole comes with the last token, one of a step with the last token of the step', async () => {
  const rollouts = [rolloutOf(3), rolloutOf(2)]
  const whole = { granularity: 'sequence', scores: [Float64Array.of(5), Float64Array.of(-1)] } as const
  expect((await scoreRollouts(replying(whole), rollouts)).perToken).toEqual([
    Float64Array.of(0, 0, 5),
    Float64Array.of(0, -1),
  ])
  const steps: RewardReply = {
    ...{ granularity: 'step', scores: [Float64Array.of(1, 2), Float64Array.of(3)] },
    stepEnds: [Int32Array.of(0, 2), Int32Array.of(1)],
  }
  expect((await scoreRollouts(replying(steps), rollouts)).perToken).toEqual([
    Float64Array.of(1, 0, 2),
    Float64Array.of(0, 3),
  ])
})

test('however it is placed, the rewards of the tokens add up to the scores, less the penalty of what did not end', async () => {
  const parts = fc.record({
    length: fc.integer({ min: 1, max: 6 }),
    score: fc.double({ min: -9, max: 9, noNaN: true }),
    ended: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(parts, { minLength: 1, maxLength: 5 }), fc.nat(3), async (all, penalty) => {
      const rollouts = all.map(({ length, ended }) => rolloutOf(length, { endedBy: ended ? 'stop' : 'length' }))
      const reply: RewardReply = { granularity: 'sequence', scores: all.map(({ score }) => Float64Array.of(score)) }
      const { totals, perToken } = await scoreRollouts(replying(reply), rollouts, { missingEosPenalty: penalty })
      all.forEach(({ score, ended }, at) => {
        expect(totals[at]).toBeCloseTo(ended ? score : score - penalty, 12)
        expect(perToken[at].reduce((sum, value) => sum + value, 0)).toBeCloseTo(totals[at], 12)
      })
    }),
  )
})

test('replies that do not fit are refused', async () => {
  const one = [rolloutOf(2)]
  const refused = async (reply: RewardReply, expected: string) =>
    expect(scoreRollouts(replying(reply), one)).rejects.toThrow(code(expected))
  await refused({ granularity: 'sequence', scores: [] }, 'COLLIMATE_REWARD_INVALID')
  await refused({ granularity: 'sequence', scores: [Float64Array.of(1, 2)] }, 'COLLIMATE_REWARD_INVALID')
  await refused({ granularity: 'token', scores: [Float64Array.of(1)] }, 'COLLIMATE_REWARD_INVALID')
  await refused({ granularity: 'step', scores: [Float64Array.of(1)] }, 'COLLIMATE_REWARD_INVALID')
  await refused(
    { granularity: 'step', scores: [Float64Array.of(1)], stepEnds: [Int32Array.of(2)] },
    'COLLIMATE_REWARD_INVALID',
  )
  await refused({ granularity: 'sequence', scores: [Float64Array.of(NaN)] }, 'COLLIMATE_REWARD_NOT_FINITE')
})
