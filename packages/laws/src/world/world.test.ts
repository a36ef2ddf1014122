import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkLaw } from '../check.js'
import { testLaws } from '../declare.js'
import { klDivergence, logPartition, optimalPolicy } from './exact.js'
import { lawsOfOptimum, type OptimumFormulas } from './optimum-laws.js'
import { completionCount, listCompletions, makeWorld } from './world.js'
import { worlds } from './worlds.js'

testLaws(lawsOfOptimum(), { test })

describe('completions', () => {
  test('are all that a model can say, each once, none the beginning of another', () => {
    expect(listCompletions(2, 2)).toEqual([[0], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2]])
    expect(listCompletions(0, 1)).toEqual([[0]])
    for (const [letters, maxLength] of [
      [1, 1],
      [3, 2],
      [4, 3],
    ] as const)
      expect(listCompletions(letters, maxLength)).toHaveLength(completionCount(letters, maxLength))
  })

  test('a world refuses numbers that do not fit it', () => {
    expect(() => makeWorld({ letters: 1, maxLength: 1, beta: 1, rewards: [[0]] })).toThrow(/2 completions/)
    expect(() => makeWorld({ letters: 1, maxLength: 1, beta: 0, rewards: [[0, 1]] })).toThrow(/beta 0/)
  })
})

test('random worlds are small and well formed, and degenerate ones are among them', () => {
  const seen = { single: false, equal: false, tiny: false }
  fc.assert(
    fc.property(worlds(), (world) => {
      const { prompts, completions, rewards, reference } = world
      expect(rewards.map((row) => row.length)).toEqual(prompts.map(() => completions.length))
      for (const row of reference) expect(row.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 12)
      seen.single ||= completions.length === 1
      seen.equal ||= completions.length > 1 && rewards.some((row) => row.every((reward) => reward === row[0]))
      seen.tiny ||= reference.flat().some((logProb) => logProb < -30)
    }),
    { numRuns: 500, seed: 1 },
  )
  expect(seen).toEqual({ single: true, equal: true, tiny: true })
})

const wrong: Record<string, Partial<OptimumFormulas>> = {
  'optimum/value': { logPartition: (world) => logPartition(world).map((logZ) => -logZ) },
  'optimum/gap': { klDivergence: (p, q) => klDivergence(p, q).map((kl) => -kl) },
  'optimum/implicit-reward': { optimalPolicy: (world) => optimalPolicy({ ...world, beta: world.beta * 2 }) },
  'optimum/distribution': {
    optimalPolicy: ({ reference, rewards, beta }) =>
      reference.map((row, x) => row.map((logProb, y) => logProb + rewards[x][y] / beta)),
  },
  'optimum/shift': { logPartition: ({ rewards }) => rewards.map((row) => row[0]) },
  'optimum/preferences': { implicitRewards: ({ rewards }) => rewards.map((row) => row.map((reward) => -reward)) },
  'optimum/stationary': {
    policyGradient: (policy, f) => policy.map((row, x) => row.map((logProb, y) => Math.exp(logProb) * f[x][y])),
  },
}

test.each(Object.keys(wrong))('%s kills what it is there for, with a counterexample', async (name) => {
  const found = lawsOfOptimum({ formulas: wrong[name] }).laws.find((law) => law.name === name)!
  const { status, message } = await checkLaw(found, { runs: 200, seed: 1 })
  expect(status).toBe('fails')
  expect(message).toMatch(/counterexample +.*β.*\n[^]*replay/)
})
