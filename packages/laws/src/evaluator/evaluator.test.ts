import { CollimateError, type Evaluator, type Measurement, meanInterval, type TrainerContext } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import { describe, expect, test } from 'vitest'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { lawsOfEvaluator } from './index.js'

type Result = Awaited<ReturnType<Evaluator['evaluate']>>

/** Measures the mean score of the policy's answers, and shows the first. */
const right = (
  seed: number,
  change: (result: Result, context: TrainerContext) => Result | Promise<Result> = (one) => one,
): Evaluator => ({
  requires: { reference: false, reward: true },
  async evaluate(context) {
    const { policy, data, reward } = context
    if (!reward) throw new CollimateError('COLLIMATE_EVALUATOR_INCOMPLETE', 'it needs a reward')
    if (data.evaluationLength === 0) throw new CollimateError('COLLIMATE_EVALUATION_EMPTY', 'nothing was held out')
    const examples = await data.read(
      'evaluation',
      Array.from({ length: data.evaluationLength }, (_, i) => i),
    )
    const { completions } = await policy.generate({
      prompts: examples.map(({ prompt }) => prompt),
      sampling: { maxNewTokens: 4, temperature: 1, seed },
    })
    const tokenizer = createTokenizer((await policy.describe()).tokenizer!)
    const rollouts = completions.map((ids, i) => ({
      prompt: { ids: examples[i].prompt, text: examples[i].text.prompt },
      completion: { ids, text: tokenizer.decode(ids) },
      columns: {},
    }))
    const { scores } = await reward.score({ rollouts })
    const [first] = rollouts
    return change(
      {
        metrics: { reward: meanInterval(scores.map(([score]) => score)) },
        samples: [
          { prompt: first.prompt.text, completions: { policy: { text: first.completion.text, score: scores[0][0] } } },
        ],
      },
      context,
    )
  },
})

testLaws(lawsOfEvaluator({ name: 'mean reward', create: (seed) => right(seed) }), { test })

const metrics = (change: (one: Measurement) => Measurement) => (seed: number) =>
  right(seed, (result) => ({ ...result, metrics: { reward: change(result.metrics.reward) } }))

const wrong: Record<string, { law: string; create: (seed: number) => Evaluator }> = {
  'a share of nothing': {
    law: 'evaluator/finite',
    create: metrics((one) => ({ ...one, value: one.value / (one.count! - 1) })),
  },
  'nothing measured': {
    law: 'evaluator/finite',
    create: (seed) => right(seed, (result) => ({ ...result, metrics: {} })),
  },
  'an interval of the difference around the mean': {
    law: 'evaluator/intervals',
    create: metrics(({ value, ...one }) => ({
      ...one,
      value,
      low: (one.low ?? value) - value,
      high: (one.high ?? value) - value,
    })),
  },
  'ends the wrong way round': {
    law: 'evaluator/intervals',
    create: metrics(({ low, high, ...one }) => ({ ...one, ...(low !== undefined && { low: high!, high: low }) })),
  },
  'an interval without an end': {
    law: 'evaluator/intervals',
    create: metrics((one) => ({ ...one, low: -Infinity, high: Infinity })),
  },
  'samples of nobody': {
    law: 'evaluator/samples-are-named',
    create: (seed) =>
      right(seed, (result) => ({ ...result, samples: result.samples.map((one) => ({ ...one, completions: {} })) })),
  },
  'samples of another prompt': {
    law: 'evaluator/samples-are-named',
    create: (seed) =>
      right(seed, (result) => ({ ...result, samples: result.samples.map((one) => ({ ...one, prompt: '' })) })),
  },
  'a seed of its own': { law: 'evaluator/deterministic', create: () => right(Math.floor(Math.random() * 1e6)) },
  'a policy that it trains a little': {
    law: 'evaluator/only-measures',
    create: (seed) =>
      right(seed, async (result, { policy }) => {
        await policy.update({} as never).catch(() => undefined)
        return result
      }),
  },
  'a reference that it closes': {
    law: 'evaluator/only-measures',
    create: (seed) =>
      right(seed, async (result, { reference }) => {
        await reference?.close().catch(() => undefined)
        return result
      }),
  },
  'a requirement that is not said': {
    law: 'evaluator/requires',
    create: (seed) => ({ ...right(seed), requires: { reference: false, reward: false } }),
  },
  'a requirement that is not needed': {
    law: 'evaluator/requires',
    create: (seed) => ({ ...right(seed), requires: { reference: true, reward: true } }),
  },
  'the mean of no rows': {
    law: 'evaluator/no-rows',
    create: (seed) => ({
      requires: { reference: false, reward: false },
      evaluate: async (context) =>
        context.data.evaluationLength > 0
          ? right(seed).evaluate(context)
          : { metrics: { reward: { value: 0 / context.data.evaluationLength } }, samples: [] },
    }),
  },
}

describe('wrong evaluators and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (name, { law, create }) => {
    const results = await checkSuite(lawsOfEvaluator({ name, create }), { seed: 8, runs: 200 })
    expect(results.flatMap((one) => (one.status === 'fails' ? [one.law.name] : []))).toContain(law)
  })
})
