import { createBus } from '@collimate/core'
import type {
  Example,
  GenerateRequest,
  PluginContext,
  PluginEntry,
  PluginKind,
  Policy,
  RewardSource,
  TrainerContext,
} from '@collimate/core'
import { describe, expect, it } from 'vitest'
import { rewardsEvaluator } from './evaluator.js'
import { rewardsOptions } from './options.js'

const examplesOf = (count: number): Example[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ index, prompt: Int32Array.of(1 + index, 2), completions: [], columns: { row: index } },
    text: { prompt: `prompt ${index}`, completions: [] },
  }))

/** Answers stream s with s % 3 + 1 tokens of log-prob `logProb`; as a reference it gives that to every token. */
function sayer(logProb: number, requests: GenerateRequest[] = []): Policy {
  return {
    describe: async () => ({ eosTokens: [0] }),
    generate: async (request: GenerateRequest) => {
      requests.push(request)
      const lengths = request.streams!.map((stream) => (stream % 3) + 1)
      return {
        completions: lengths.map((length) => new Int32Array(length).fill(7)),
        logProbs: lengths.map((length) => new Float32Array(length).fill(logProb)),
        endedBy: lengths.map((length) => (length === 3 ? 'length' : 'stop')),
        ...{ version: 0, temperature: request.sampling.temperature },
      }
    },
    outputs: async ({ batch }: { batch: { tokenMask: Float32Array } }) => ({
      logProbs: Float64Array.from(batch.tokenMask, (bit) => bit * logProb),
    }),
  } as unknown as Policy
}

const scoring = (score: (length: number) => number): RewardSource => ({
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ completion }) => Float64Array.of(score(completion.ids.length))),
  }),
  close: async () => undefined,
})

function contextOf(rows: number, parts: Partial<TrainerContext> = {}): TrainerContext {
  const examples = examplesOf(rows)
  return {
    ...{ bus: createBus(), policy: sayer(-0.5), reference: sayer(-1), totalSteps: 1, startStep: 1, seed: 0 },
    data: {
      ...{ trainLength: 0, trainFingerprint: '', evaluationLength: rows, evaluationFingerprint: '' },
      next: async () => [],
      read: async (_, indices) => indices.map((index) => examples[index]),
    },
    ...{ cacheFolder: '', signal: new AbortController().signal, ...parts },
  }
}

/** An evaluator whose plugins are made by `make`. */
function evaluatorOf(given: object, make: (kind: PluginKind, entry: PluginEntry) => unknown = () => scoring(Number)) {
  const plugin = (async (kind: PluginKind, entry: PluginEntry) => make(kind, entry)) as PluginContext['plugin']
  return rewardsEvaluator({ ...rewardsOptions.parse({ seed: 3, ...given }), seed: 3 }, plugin)
}

describe('what it measures', () => {
  it('named rewards, the reward of the experiment, the KL per answer, and lengths', async () => {
    const made: unknown[] = []
    const evaluator = evaluatorOf({ rewards: { gold: './gold.ts' }, samples: 1 }, (kind, entry) => {
      made.push([kind, entry])
      return scoring((length) => 10 * length)
    })
    const context = contextOf(3, { reward: scoring((length) => length) })
    const { metrics, samples } = await evaluator.evaluate(context)
    expect(made).toEqual([['reward', './gold.ts']])
    // Lengths 1, 2, 3 with log π − log π_ref = ½ for each token.
    expect(metrics).toMatchObject({
      ...{ eval_gold: { value: 20, count: 3 }, eval_reward: { value: 2 }, eval_kl: { value: 1 } },
      ...{ 'eval_completions/mean_length': { value: 2 }, 'eval_completions/clipped_ratio': { value: 1 / 3 } },
    })
    expect(metrics.eval_gold.low).toBeLessThan(20)
    expect(samples).toEqual([{ prompt: 'prompt 0', completions: { policy: { text: '7', score: 10 } } }])
    await evaluator.evaluate(context)
    expect(made).toHaveLength(1)
  })

  it('the KL to a model that is named, whatever the policy was before training; or none', async () => {
    const made: unknown[] = []
    const named = evaluatorOf({ reference: './sft' }, (kind, entry) => {
      made.push([kind, entry])
      return sayer(-2.5)
    })
    expect(named.requires).toEqual({ reference: false, reward: false })
    await named.prepare?.()
    expect((await named.evaluate(contextOf(3))).metrics.eval_kl.value).toBe(4)
    expect(made).toEqual([['policy', { use: 'transformer', model: './sft' }]])
    const none = evaluatorOf({ reference: false })
    expect(none.requires.reference).toBe(false)
    expect((await none.evaluate(contextOf(3))).metrics).not.toHaveProperty('eval_kl')
    expect(evaluatorOf({}).requires.reference).toBe(true)
  })

  it('a reward that is given takes the place of the one of the experiment', async () => {
    const evaluator = evaluatorOf({ rewards: { reward: 'mine' } }, () => scoring(() => 5))
    const { metrics } = await evaluator.evaluate(contextOf(2, { reward: scoring(() => 1) }))
    expect(metrics.eval_reward.value).toBe(5)
  })
})

it('answers with the same random numbers each time', async () => {
  const requests: GenerateRequest[] = []
  const evaluator = evaluatorOf({ prompts: 4, maxNewTokens: 9, temperature: 0.5, topP: 0.9 })
  const context = contextOf(6, { policy: sayer(-0.5, requests) })
  await evaluator.evaluate(context)
  await evaluator.evaluate(context)
  expect(requests[0]).toEqual(requests[1])
  expect(requests[0].prompts).toHaveLength(4)
  expect(requests[0].sampling).toEqual({ maxNewTokens: 9, temperature: 0.5, topP: 0.9, seed: 3 })
})

describe('says what is missing', () => {
  const code = (expected: string) => expect.objectContaining({ code: expected }) as Error
  it('a reference, held-out prompts', async () => {
    await expect(evaluatorOf({}).evaluate(contextOf(1, { reference: undefined }))).rejects.toThrow(
      code('COLLIMATE_EVALUATOR_INCOMPLETE'),
    )
    await expect(evaluatorOf({}).evaluate(contextOf(0))).rejects.toThrow(code('COLLIMATE_EVALUATION_EMPTY'))
  })

  it('a reward that there is not, before training', async () => {
    const evaluator = evaluatorOf({ rewards: { gold: 'nothing' } }, () => {
      throw new Error('no plugin "nothing"')
    })
    await expect(evaluator.prepare?.()).rejects.toThrow('nothing')
  })
})

it.each([
  { prompts: 0 },
  { temperature: -1 },
  { topP: 0 },
  { samples: -1 },
  { reference: true },
  { rewards: { kl: './gold.ts' } },
  { rewards: { 'a b': './gold.ts' } },
  { rewards: { gold: 3 } },
  { rewads: {} },
])('its options refuse %j', (options) => {
  expect(rewardsOptions.safeParse(options).success).toBe(false)
})
