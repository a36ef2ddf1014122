import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextBeta } from './adaptive-kl.js'
import { klEstimators, tokenKl } from './kl-estimators.js'
import { penalisedRewards } from './penalised-rewards.js'
import { ragged, rectangle } from './rectangle.js'
import { rolloutBatches, rolloutOutputs } from './rollout-examples.js'
import { lengthMetrics, rewardMetrics, standardDeviation } from './rollout-metrics.js'
import { rolloutOf } from './testing.js'

const rows = fc.array(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { maxLength: 6 }), { maxLength: 5 })

test('a rectangle gives its rows back', () => {
  fc.assert(
    fc.property(rows, (given) => {
      const { data, width, rows: count } = rectangle(given)
      expect(data.length).toBe(width * count)
      const lengths = given.map(({ length }) => length)
      expect(ragged(data, lengths).map((row) => [...row])).toEqual(given)
    }),
  )
})

describe('estimators of the KL', () => {
  // A pair of distributions over a few tokens, from logits.
  const logits = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 4, maxLength: 4 })
  const normalised = (given: readonly number[]) => {
    const total = Math.log(given.reduce((sum, logit) => sum + Math.exp(logit), 0))
    return given.map((logit) => logit - total)
  }

  test('k1 and k3 are the KL on average, and k3 is never negative', () => {
    fc.assert(
      fc.property(logits, logits, (a, b) => {
        const [p, q] = [normalised(a), normalised(b)]
        const mean = (of: (r: number) => number) =>
          p.reduce((sum, logP, i) => sum + Math.exp(logP) * of(logP - q[i]), 0)
        const kl = mean((r) => r)
        expect(mean(klEstimators.k1)).toBeCloseTo(kl, 12)
        expect(mean(klEstimators.k3)).toBeCloseTo(kl, 9)
        p.forEach((logP, i) => expect(klEstimators.k3(logP - q[i])).toBeGreaterThanOrEqual(0))
      }),
    )
  })

  test('are exact next to 0, where exp(−r) − 1 + r is not', () => {
    // Σ (−r)^k / k! from k = 2.
    expect(klEstimators.k3(1e-3) / (1e-6 / 2 - 1e-9 / 6 + 1e-12 / 24)).toBeCloseTo(1, 9)
    expect(klEstimators.k2(-3)).toBe(4.5)
    expect(tokenKl('k1', [[-1, -2]], [[-3, -1]])).toEqual([Float64Array.of(2, -1)])
  })
})

test('penalised rewards add up to the score less β times the KL, and masked tokens have none', () => {
  fc.assert(
    fc.property(rows, fc.double({ min: 0, max: 2, noNaN: true }), (given, beta) => {
      const rewards = given.map((row) => Float64Array.from(row))
      const kl = given.map((row) => Float64Array.from(row, (value) => value / 3))
      const masks = given.map((row) => Uint8Array.from(row, (_, at) => (at % 3 === 2 ? 0 : 1)))
      penalisedRewards(rewards, kl, masks, beta).forEach((row, at) =>
        row.forEach((value, token) => {
          const full = rewards[at][token] - beta * kl[at][token]
          expect(value).toBe(masks[at][token] === 0 ? 0 : full)
        }),
      )
    }),
  )
})

test('the adaptive coefficient rises above its target, falls below it, and by a fifth at most', () => {
  const control = { target: 6, horizon: 10_000 }
  expect(nextBeta(0.1, 6, 64, control)).toBe(0.1)
  expect(nextBeta(0.1, 60, 10_000, control)).toBeCloseTo(0.12, 12)
  expect(nextBeta(0.1, 0, 10_000, control)).toBeCloseTo(0.08, 12)
  expect(nextBeta(0.1, 6.6, 1000, control)).toBeCloseTo(0.1 * (1 + 0.1 * 0.1), 12)
})

describe('metrics', () => {
  test('lengths, with those of the completions that ended', () => {
    expect(lengthMetrics([rolloutOf(2), rolloutOf(4), rolloutOf(9, { endedBy: 'length' })])).toEqual({
      'completions/mean_length': 5,
      'completions/min_length': 2,
      'completions/max_length': 9,
      'completions/mean_terminated_length': 3,
      'completions/min_terminated_length': 2,
      'completions/max_terminated_length': 4,
      'completions/clipped_ratio': 1 - 2 / 3,
    })
    expect(lengthMetrics([rolloutOf(9, { endedBy: 'length' })])).toMatchObject({
      'completions/mean_terminated_length': 0,
      'completions/clipped_ratio': 1,
    })
  })

  test('rewards, by name and by group', () => {
    const totals = Float64Array.of(1, 1, 0, 4)
    const found = rewardMetrics({ totals, parts: { style: Float64Array.of(2, 2, 2, 6) } }, 2)
    expect(found).toMatchObject({ reward: 1.5, frac_reward_zero_std: 0.5, 'rewards/style/mean': 3 })
    expect(found['rewards/style/std']).toBeCloseTo(2, 12)
    expect(standardDeviation([7])).toBe(0)
    expect(rewardMetrics({ totals, parts: {} }, 1)).not.toHaveProperty('frac_reward_zero_std')
  })
})

describe('batches of rollouts', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 8 })

  test('inputs per token and per sequence arrive at their tokens and sequences, in any split', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 4 }), async (given, microBatchSize) => {
        const groupSize = 2
        const even = given.slice(0, given.length - (given.length % 2))
        // Token k of rollout i has the id 10 i + k, the input value 10 i + k, and is masked where k is 3.
        const rollouts = even.map((length, i) =>
          rolloutOf(length, {
            prompt: { ids: Int32Array.of(Math.floor(i / groupSize) + 1), text: '' },
            completion: { ids: Int32Array.from({ length }, (_, k) => 10 * i + k), text: '' },
            mask: Uint8Array.from({ length }, (_, k) => (k === 3 ? 0 : 1)),
          }),
        )
        const perToken = rollouts.map(({ completion }) => [...completion.ids])
        const perSequence = Float64Array.from(even, (_, i) => i)
        const batches = rolloutBatches(rollouts, { perToken, perSequence }, { groupSize, microBatchSize })
        let seen = 0
        for (const { targets, tokenMask, sequences, inputs } of batches)
          tokenMask.forEach((bit, t) => {
            if (bit === 0) return
            expect(inputs.perToken[t]).toBe(targets[t])
            expect(inputs.perSequence[sequences[t]]).toBe(Math.floor(targets[t] / 10))
            expect(targets[t] % 10).not.toBe(3)
            seen++
          })
        expect(seen).toBe(even.reduce((sum, length) => sum + length - (length > 3 ? 1 : 0), 0))
        // A model that says each token's id says it of the right token.
        const model = {
          outputs: async ({ batch }: { batch: (typeof batches)[number] }) => ({
            logProbs: Float64Array.from(batch.targets),
          }),
        }
        const { logProbs } = await rolloutOutputs(model, rollouts, ['logProbs'], { groupSize, microBatchSize })
        logProbs.forEach((row, i) => row.forEach((value, k) => expect(value).toBe(k === 3 ? 0 : 10 * i + k)))
      }),
    )
  })

  test('an output that is not finite is an error', async () => {
    const model = { outputs: async () => ({ logProbs: Float64Array.of(NaN, NaN) }) }
    await expect(
      rolloutOutputs(model, [rolloutOf(2)], ['logProbs'], { groupSize: 1, microBatchSize: 1 }),
    ).rejects.toThrow(expect.objectContaining({ code: 'COLLIMATE_NOT_FINITE' }) as Error)
  })
})
