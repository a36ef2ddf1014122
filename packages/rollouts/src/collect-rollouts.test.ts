import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { collectRollouts } from './collect-rollouts.js'
import { rolloutPlan, rolloutShape } from './rollout-options.js'
import { textOf } from './sample-rollouts.js'
import { countingPolicy, exampleOf, surroundings } from './testing.js'

const defaults = { learningRate: 1e-6, numGenerations: 2, temperature: 1 }
const options = (given: object = {}) => z.object(rolloutShape(defaults)).parse(given)
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error
const collect = async (given: object = {}, promptsBefore = 0) =>
  collectRollouts(surroundings(), {
    ...{ step: 1, examples: [exampleOf(0, [7]), exampleOf(1, [8, 8])], options: options(given), promptsBefore },
    text: await textOf(countingPolicy()),
  })

describe('a batch of rollouts', () => {
  test('has the completions of a prompt side by side, each from a stream of its own', async () => {
    const { rollouts } = await collect()
    expect(rollouts.map(({ prompt }) => prompt.text)).toEqual(['7', '7', '8 8', '8 8'])
    expect(rollouts.map(({ completion }) => completion.ids.length)).toEqual([1, 2, 3, 1])
    expect(rollouts.map(({ columns }) => columns.row)).toEqual([0, 0, 1, 1])
    const later = await collect({}, 1)
    expect(later.rollouts.map(({ completion }) => completion.ids.length)).toEqual([3, 1, 2, 3])
    expect(rollouts[0]).toMatchObject({ version: 4, temperature: 1, mask: Uint8Array.of(1) })
  })

  test('tells the KL per completion, of all tokens', async () => {
    // Lengths 1, 2, 3, 1 with log π − log π_ref = ½ for each token.
    for (const maskTruncatedCompletions of [false, true]) {
      const { kl, refLogProbs } = await collect({ maskTruncatedCompletions })
      expect(kl).toBeCloseTo((0.5 * 7) / 4, 12)
      expect(refLogProbs.map(({ length }) => length)).toEqual([1, 2, 3, 1])
    }
  })

  test('leaves out of learning what did not end by itself, if asked', async () => {
    const { rollouts } = await collect({ maskTruncatedCompletions: true })
    expect(rollouts.map(({ mask }) => [...mask])).toEqual([[1], [1, 1], [0, 0, 0], [1]])
  })

  test('stops a run whose policy has left its reference', async () => {
    await expect(collect({ maxKl: 0.5 })).rejects.toThrow(code('COLLIMATE_DIVERGED'))
  })

  test('is told on the bus', async () => {
    const context = surroundings()
    const told: string[] = []
    context.bus.on('rollout.sampled', ({ rollouts, groupSize }) => told.push(`sampled ${rollouts.length} ${groupSize}`))
    context.bus.on('rollout.scored', ({ rewards }) => told.push(`scored ${[...rewards].join()}`))
    const text = await textOf(context.policy)
    await collectRollouts(context, {
      ...{ step: 1, examples: [exampleOf(0, [7])], options: options(), promptsBefore: 0, text },
    })
    expect(told).toEqual(['sampled 2 2', 'scored 1,2'])
    await expect(
      collectRollouts(context, {
        ...{ step: 1, examples: [exampleOf(3, [])], options: options(), promptsBefore: 0, text },
      }),
    ).rejects.toThrow(code('COLLIMATE_PROMPT_EMPTY'))
  })
})

test('the plan of a trainer that samples reads prompts and keeps their ends', () => {
  expect(rolloutPlan(options({ maxPromptLength: 30, steps: 5 }), defaults)).toMatchObject({
    ...{ dataset: 'prompt-only', data: { maxLength: 30, truncation: 'keep_end' }, length: { steps: 5 }, guarded: true },
  })
})
