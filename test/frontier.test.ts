import { fraction } from '@collimate/core'
import { klDivergence, makeWorld, meanOverPrompts, optimalPolicy, expectations, worlds } from '@collimate/laws'
import type { World } from '@collimate/laws'
import { frontier, mixtureWeights } from '@collimate/report'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const betas = [8, 4, 2, 1, 0.5]

/** KL and reward of π* at a β, by listing every completion. */
function exact(world: World, beta: number): { kl: number; reward: number } {
  const optimum = optimalPolicy({ ...world, beta })
  return {
    kl: meanOverPrompts(klDivergence(optimum, world.reference)),
    reward: meanOverPrompts(expectations(optimum, world.rewards)),
  }
}

const listed = ({ rewards, reference }: World) =>
  rewards.map((row, x) => ({ rewards: { proxy: row }, logProbs: reference[x] }))

function draw(logProbs: readonly number[], u: number): number {
  let left = u
  const at = logProbs.findIndex((logProb) => (left -= Math.exp(logProb)) < 0)
  return at < 0 ? logProbs.length - 1 : at
}

/** `prompts` prompts of the world, each with `count` completions of each of the policies, the reference first. */
function sampled({ rewards }: World, policies: readonly World['reference'][], { prompts = 30, count = 200, seed = 0 }) {
  return Array.from({ length: prompts }, (_, prompt) => {
    const x = Math.floor(fraction(seed, prompt, policies.length * count) * rewards.length)
    const drawn = policies.flatMap((policy, p) =>
      Array.from({ length: count }, (_value, at) => draw(policy[x], fraction(seed, prompt, p * count + at))),
    )
    const logProbs = policies.map((policy) => drawn.map((y) => policy[x][y]))
    return {
      rewards: { proxy: Float64Array.from(drawn, (y) => rewards[x][y]) },
      ...(policies.length > 1 && {
        logWeights: mixtureWeights(
          logProbs,
          policies.map(() => count),
        ),
      }),
    }
  })
}

const rewards = (x: number) => Array.from({ length: 15 }, (_, y) => 2 * Math.sin(1 + 3 * x + 5 * y))
const referenceLogits = [0, 1, 2].map((x) => Array.from({ length: 15 }, (_, y) => 2 * Math.cos(2 + x * y)))
const world = makeWorld({ letters: 2, maxLength: 3, beta: 1, rewards: [0, 1, 2].map(rewards), referenceLogits })

describe('the frontier in the enumerable world', () => {
  test('listed, it is the optimum at each β', () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const points = frontier(listed(world), 'proxy', betas)
        expect(points).toHaveLength(1 + betas.length)
        for (const { beta, kl, rewards, effectiveSamples } of points.slice(1)) {
          const optimum = exact(world, beta!)
          expect(kl.value).toBeCloseTo(optimum.kl, 8)
          expect(rewards.proxy.value).toBeCloseTo(optimum.reward, 6)
          expect(effectiveSamples).toBeUndefined()
        }
      }),
      { numRuns: 100 },
    )
  })

  test('no policy gets more reward at its KL', () => {
    fc.assert(
      fc.property(worlds({ prompts: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (world, share) => {
        // Any policy: a mixture of the reference and the best completion.
        const [row] = world.rewards
        const best = row.indexOf(Math.max(...row))
        const policy = [
          world.reference[0].map((logProb, y) => Math.log((1 - share) * Math.exp(logProb) + (y === best ? share : 0))),
        ]
        const [kl] = klDivergence(policy, world.reference)
        const [reward] = expectations(policy, world.rewards)
        for (const point of frontier(listed(world), 'proxy', betas).slice(1))
          // J at β is at most that of the point.
          expect(reward - point.beta! * kl).toBeLessThanOrEqual(
            point.rewards.proxy.value - point.beta! * point.kl.value + 1e-6 * (1 + Math.abs(reward)),
          )
      }),
      { numRuns: 100 },
    )
  })

  /** How often the intervals hold the exact values, over many draws of the samples. */
  function coverage(policies: readonly World['reference'][], at: readonly number[], count = 200) {
    let [covered, points] = [0, 0]
    for (let seed = 0; seed < 60; seed++)
      for (const { beta, kl, rewards: measured } of frontier(
        sampled(world, policies, { seed, count }),
        'proxy',
        at,
      ).slice(1)) {
        const optimum = exact(world, beta!)
        points++
        if (kl.low! <= optimum.kl && optimum.kl <= kl.high!) covered += 0.5
        if (measured.proxy.low! <= optimum.reward && optimum.reward <= measured.proxy.high!) covered += 0.5
      }
    return { share: covered / points, points }
  }

  test('estimated from the reference, its intervals cover the exact one about 95 times of a hundred', () => {
    const { share, points } = coverage([world.reference], betas)
    expect(points).toBe(60 * betas.length)
    expect(share).toBeGreaterThan(0.9)
  })

  test('with a trained policy sampled too, it reaches further, and covers as well', () => {
    const far = [0.5, 0.2, 0.1]
    const trained = optimalPolicy({ ...world, beta: 0.3 })
    const alone = coverage([world.reference], far, 40)
    const both = coverage([world.reference, trained], far, 40)
    expect(both.points).toBeGreaterThan(alone.points)
    expect(both.share).toBeGreaterThan(0.9)
  })

  test('weights of a mixture bring its samples back to the reference', () => {
    const policies = [world.reference, optimalPolicy({ ...world, beta: 0.5 })]
    const [start] = frontier(sampled(world, policies, { prompts: 60, count: 400 }), 'proxy', [])
    const reward = meanOverPrompts(expectations(world.reference, world.rewards))
    expect(start.rewards.proxy.low).toBeLessThan(reward)
    expect(start.rewards.proxy.high).toBeGreaterThan(reward)
  })
})
