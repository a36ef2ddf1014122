import { CollimateError, type RewardReply, type RewardSource, type Scorable } from '@collimate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { lawsOfRewardSource } from './index.js'

/** Letters that completion and prompt have in common, between 0 and 1. */
const common = ({ prompt, completion }: Scorable): number => {
  const letters = [...completion.text]
  return letters.filter((letter) => prompt.text.includes(letter)).length / Math.max(1, letters.length)
}
const source = (score: (rollouts: readonly Scorable[]) => RewardReply | Promise<RewardReply>): RewardSource => ({
  score: async ({ rollouts }) => score(rollouts),
  close: async () => undefined,
})
const sequence = (scores: readonly number[]): RewardReply => ({
  granularity: 'sequence',
  scores: scores.map((score) => Float64Array.of(score)),
})
const right = () => source((rollouts) => sequence(rollouts.map(common)))
const claims = { deterministic: true, bounded: [0, 1], granularity: 'sequence' }

testLaws(lawsOfRewardSource({ name: 'letters in common', create: right, claims }), { test })
testLaws(
  lawsOfRewardSource({
    name: 'length of tokens',
    create: () =>
      source((rollouts) => ({
        granularity: 'token',
        scores: rollouts.map(({ completion }) => Float64Array.from(completion.ids, (id) => id % 3)),
      })),
    claims: { granularity: 'token' },
  }),
  { test },
)
testLaws(
  lawsOfRewardSource({
    name: 'expected answer',
    create: () =>
      source((rollouts) =>
        sequence(rollouts.map(({ completion, columns }) => Number(completion.text.includes(String(columns.answer))))),
      ),
    columns: fc.record({ answer: fc.constantFrom('4', 'yes') }),
    claims: { bounded: [0, 1] },
  }),
  { test },
)

/** Two steps of each completion, where it has two tokens. */
const steps = (ends: (length: number) => number[]) =>
  source((rollouts) => {
    const all = rollouts.map(({ completion }) => Int32Array.from(ends(completion.ids.length)))
    return { granularity: 'step', scores: all.map((own) => Float64Array.from(own, (end) => end / 8)), stepEnds: all }
  })
const halves = (length: number) =>
  length < 2 ? [length - 1].filter((end) => end >= 0) : [(length >> 1) - 1, length - 1]
testLaws(lawsOfRewardSource({ name: 'halves', create: () => steps(halves), claims: { granularity: 'step' } }), { test })

/** Two parts, of which the second counts half. */
const made = (
  change: (parts: Record<string, Float64Array>, rollouts: readonly Scorable[]) => object = (parts) => parts,
) =>
  source((rollouts) => {
    const own = Float64Array.from(rollouts, common)
    const short = Float64Array.from(rollouts, ({ completion }) => -completion.ids.length)
    const parts = change({ own, short }, rollouts) as Record<string, Float64Array>
    return { ...sequence(rollouts.map((_, i) => own[i] + short[i] / 2)), parts }
  })
const weights = { own: 1, short: 0.5 }
testLaws(lawsOfRewardSource({ name: 'two parts', create: () => made(), weights }), { test })

const memory = new Map<string, Float64Array[]>()
const wrong: Record<string, { law: string; create: () => RewardSource; weights?: Record<string, number> }> = {
  'steps that do not say where they end': {
    law: 'reward/step-ends',
    create: () => source((rollouts) => ({ granularity: 'step', scores: rollouts.map(() => Float64Array.of(1)) })),
  },
  'a step that ends behind the completion': {
    law: 'reward/step-ends',
    create: () => steps((length) => halves(length).map((end) => end + 1)),
  },
  'two steps that end at one token': {
    law: 'reward/step-ends',
    create: () => steps((length) => (length < 2 ? halves(length) : [length - 1, length - 1])),
  },
  'steps from the last to the first': {
    law: 'reward/step-ends',
    create: () => steps((length) => halves(length).reverse()),
  },
  'a part that is left out of the score': {
    law: 'reward/parts',
    weights,
    create: () => made(({ own, short }) => ({ own, short: short.map((value) => value - 1) })),
  },
  'a part that nobody knows of': {
    law: 'reward/parts',
    weights,
    create: () => made((parts) => ({ ...parts, more: parts.own })),
  },
  'parts that are not told': { law: 'reward/parts', weights, create: right },
  'a part of another batch': {
    law: 'reward/parts',
    create: () => made(({ own }) => ({ own: own.map((value) => value - own.reduce((a, b) => a + b, 0)) })),
  },
  'a part too few': { law: 'reward/parts', create: () => made(({ own }) => ({ own: own.slice(1) })) },
  'a part that is no number': {
    law: 'reward/parts',
    create: () => made(({ own }) => ({ own: own.map(() => Number.NaN) })),
  },
  'a score too few where there are many': {
    law: 'reward/one-score-per-rollout',
    create: () => source((rollouts) => sequence(rollouts.map(common).slice(0, 4))),
  },
  'a number per token called one per sequence': {
    law: 'reward/one-score-per-rollout',
    create: () =>
      source((rollouts) => ({
        granularity: 'sequence',
        scores: rollouts.map(({ completion }) => new Float64Array(completion.ids.length)),
      })),
  },
  'a share of nothing': {
    law: 'reward/finite',
    create: () => source((rollouts) => sequence(rollouts.map((one) => common(one) / one.completion.text.length))),
  },
  'scores that are centred over the batch': {
    law: 'reward/batch-mates-do-not-matter',
    create: () =>
      source((rollouts) => {
        const scores = rollouts.map(common)
        const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length)
        return sequence(scores.map((score) => score - mean))
      }),
  },
  'scores in the order of length': {
    law: 'reward/batch-mates-do-not-matter',
    create: () =>
      source((rollouts) =>
        sequence(rollouts.toSorted((a, b) => a.completion.ids.length - b.completion.ids.length).map(common)),
      ),
  },
  'requests that share one place': {
    law: 'reward/requests-do-not-mix',
    create: () => {
      let current: readonly Scorable[] = []
      return source(async (rollouts) => {
        current = rollouts
        await new Promise((resolve) => setImmediate(resolve))
        return sequence(current.map(common))
      })
    },
  },
  'a cache that gives away what it keeps': {
    law: 'reward/shares-nothing',
    create: () =>
      source((rollouts) => {
        const key = JSON.stringify(rollouts)
        const scores = memory.get(key) ?? sequence(rollouts.map(common)).scores.slice()
        memory.set(key, scores)
        return { granularity: 'sequence', scores }
      }),
  },
  'completions that are trimmed in place': {
    law: 'reward/shares-nothing',
    create: () =>
      source((rollouts) => {
        for (const { completion } of rollouts) (completion as { text: string }).text = completion.text.trim()
        return sequence(rollouts.map(common))
      }),
  },
  'a mean over no rollouts': {
    law: 'reward/no-rollouts',
    create: () => source((rollouts) => sequence(rollouts.length === 0 ? [0] : rollouts.map(common))),
  },
  'a pattern made of what the model says': {
    law: 'reward/odd-texts',
    create: () =>
      source((rollouts) =>
        sequence(rollouts.map(({ prompt, completion }) => Number(new RegExp(completion.text).test(prompt.text)))),
      ),
  },
  'a second close that fails': {
    law: 'reward/close',
    create: () => {
      let closed = false
      return {
        ...right(),
        close: async () => {
          if (closed) throw new CollimateError('COLLIMATE_REWARD_CLOSED', 'closed already')
          closed = true
        },
      }
    },
  },
  noise: {
    law: 'reward/deterministic',
    create: () => source((rollouts) => sequence(rollouts.map((one) => common(one) + Math.random() * 1e-12))),
  },
  'bounds that do not hold': {
    law: 'reward/bounded',
    create: () => source((rollouts) => sequence(rollouts.map((one) => common(one) - 0.01 * one.completion.ids.length))),
  },
  'another granularity than claimed': {
    law: 'reward/granularity',
    create: () =>
      source((rollouts) => ({
        granularity: 'token',
        scores: rollouts.map(({ completion }) => new Float64Array(completion.ids.length)),
      })),
  },
}

describe('wrong reward sources and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (name, { law, create, weights: given }) => {
    const suite = lawsOfRewardSource({ name, create, claims, ...(given && { weights: given }) })
    const results = await checkSuite(suite, { seed: 4 })
    const failed = results.filter(({ status }) => status === 'fails')
    expect(failed.map((result) => result.law.name)).toContain(law)
    for (const { message } of failed) expect(message).toContain('replay          seed 4')
  })
})

test('a judge that samples says so, and is then held to what every judge must do', () => {
  const suite = lawsOfRewardSource({ name: 'judge', create: right, claims: { deterministic: false } })
  expect(suite.unsupported.find(({ capability }) => capability === 'deterministic')?.laws).toContain(
    'reward/batch-mates-do-not-matter',
  )
  expect(suite.laws.map(({ name }) => name)).toContain('reward/finite')
})
