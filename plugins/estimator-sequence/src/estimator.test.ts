import { existsSync, readFileSync } from 'node:fs'
import type { EstimatorRequest } from '@collimate/core'
import { describe, expect, it } from 'vitest'
import type { BaselineName } from './baselines.js'
import { sequenceEstimator } from './estimator.js'
import { sequenceOptions } from './options.js'

const estimate = (options: object, request: EstimatorRequest) =>
  sequenceEstimator(sequenceOptions.parse(options)).estimate(request)

/** Totals as the rewards of one token each; NaN behind it. */
function requestOf(totals: readonly number[], parts: Partial<EstimatorRequest> = {}): EstimatorRequest {
  const slots = totals.flatMap((total) => [total, NaN])
  return {
    ...{ rows: totals.length, width: 2, rewards: Float64Array.from(slots), logProbs: new Float64Array(slots.length) },
    mask: Uint8Array.from(slots, (_, slot) => 1 - (slot % 2)),
    ...parts,
  }
}

const ofRows = ({ advantages }: { advantages: Float64Array }) => Array.from(advantages).filter((_, at) => at % 2 === 0)

const near = (found: readonly number[], expected: readonly number[]) => {
  expect(found.length).toBe(expected.length)
  expected.forEach((value, i) =>
    expect(Math.abs(found[i] - value) / Math.max(1, Math.abs(value)), `${found[i]} is not ${value}`).toBeLessThan(1e-9),
  )
}

interface Case {
  readonly name: string
  readonly group_size: number
  readonly rewards: number[]
  readonly rloo: number[]
  readonly rloo_normalized: number[]
  readonly grpo: number[]
  readonly grpo_batch_scaled: number[]
  readonly dr_grpo: number[]
}

const file = new URL('../../../test/parity/losses/group.json', import.meta.url)
describe.skipIf(!existsSync(file))('parity with the RLOO and GRPO of TRL (losses/group.json)', () => {
  const cases: Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).advantage_cases : []

  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const request = requestOf(one.rewards, { groupSize: one.group_size })
    near(ofRows(await estimate({}, request)), one.rloo)
    near(ofRows(await estimate({ normalizeAdvantages: true }, request)), one.rloo_normalized)
    near(ofRows(await estimate({ baseline: 'group-mean' }, request)), one.dr_grpo)
    near(ofRows(await estimate({ baseline: 'group-std' }, request)), one.grpo)
    near(ofRows(await estimate({ baseline: 'batch-std' }, request)), one.grpo_batch_scaled)
  })
})

describe('the estimator', () => {
  it('compares with the others of its prompt by default', () => {
    expect(sequenceOptions.parse({})).toEqual({ baseline: 'leave-one-out', normalizeAdvantages: false })
  })

  it('takes no mean of earlier rewards for 0', async () => {
    const request = requestOf([1, -3])
    expect(ofRows(await estimate({ baseline: 'moving-average' }, request))).toEqual([1, -3])
    expect(ofRows(await estimate({ baseline: 'moving-average' }, { ...request, meanReward: 2 }))).toEqual([-1, -5])
    expect(ofRows(await estimate({ baseline: 'none' }, { ...request, meanReward: 2 }))).toEqual([1, -3])
  })

  it.each<[BaselineName, readonly number[]]>([
    ['leave-one-out', [-2, 2]],
    ['group-mean', [-1, 1]],
  ])('%s does not see a completion that is masked whole', async (baseline, [first, second]) => {
    const mask = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0)
    const request = requestOf([1, 100, 3, 100, 100, 7], { mask, groupSize: 3 })
    // Of the second prompt only one is left: there is nothing to compare it with.
    expect(ofRows(await estimate({ baseline }, request))).toEqual([first, 0, second, 0, 0, 0])
  })

  it('normalises over the completions that are real', async () => {
    const mask = Uint8Array.of(1, 0, 1, 0, 0, 0)
    const found = await estimate(
      { baseline: 'none', normalizeAdvantages: true },
      requestOf([1, 3, 100], { mask, groupSize: 1 }),
    )
    const scale = Math.SQRT2 + 1e-4
    near(ofRows(found), [-1 / scale, 1 / scale, 0])
  })

  it('has nothing to say of a batch that is masked whole', async () => {
    const request = requestOf([1, 2], { mask: new Uint8Array(4), groupSize: 2 })
    for (const normalizeAdvantages of [true, false])
      expect(ofRows(await estimate({ normalizeAdvantages }, request))).toEqual([0, 0])
  })

  it.each<[string, object, Partial<EstimatorRequest>, RegExp]>([
    ['groups of one where it compares', {}, { groupSize: 1 }, /"leave-one-out" compares the completions of a prompt/],
    ['no groups where it compares', { baseline: 'group-std' }, { groupSize: undefined }, /"group-std" compares/],
    ['groups that do not divide the rows', {}, { groupSize: 3 }, /4 rows do not come in groups of 3/],
    ['groups of none', { baseline: 'none' }, { groupSize: 0 }, /groups of 0/],
    ['too few rewards', {}, { rewards: new Float64Array(3) }, /rewards have 3 numbers, not 4 rows of 2/],
    ['a mask of another size', {}, { mask: new Uint8Array(9) }, /mask have 9 numbers/],
    ['a mean that is no number', { baseline: 'moving-average' }, { meanReward: NaN }, /the mean reward is NaN/],
    ['a reward that is no number', {}, { mask: new Uint8Array(8).fill(1) }, /the reward of row 0, token 1: NaN/],
  ])('refuses %s', async (_, options, change, message) => {
    const asked = estimate(options, requestOf([1, 2, 3, 4], { groupSize: 2, ...change }))
    await expect(asked).rejects.toMatchObject({
      code: 'COLLIMATE_ESTIMATE_INVALID',
      message: expect.stringMatching(message),
    })
  })
})
