import { createBus } from '@collimate/core'
import type {
  Example,
  GenerateRequest,
  Policy,
  RewardSource,
  Scorable,
  TokenizerFiles,
  TrainerContext,
} from '@collimate/core'
import { trainByteBpe } from '@collimate/data'
import { describe, expect, it } from 'vitest'
import { winRateEvaluator } from './evaluator.js'
import { winRateOptions } from './options.js'

const tokenizer: TokenizerFiles = trainByteBpe(['ab ba'], { vocabularySize: 257 })

const evaluatorOf = (options: object = {}) =>
  winRateEvaluator({ seed: 3, ...winRateOptions.parse({ seed: 3, ...options }) } as never)

function examplesOf(count: number): Example[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    prompt: Int32Array.of(1 + (index % 200), 2),
    completions: [],
    text: { prompt: `prompt ${index}`, completions: [] },
    columns: { gold: index },
  }))
}

/** A policy that answers every prompt with one token. */
function sayer(token: number, requests: GenerateRequest[] = []): Policy {
  return {
    describe: async () => ({ tokenizer }),
    generate: async (request: GenerateRequest) => {
      requests.push(request)
      const completions = request.prompts.map(() => Int32Array.of(token))
      return { completions, logProbs: [], endedBy: [], version: 0, temperature: 1 }
    },
  } as unknown as Policy
}

/** Scores an answer by the character code it begins with. */
const reward: RewardSource = {
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ completion }) => Float64Array.of(completion.text.charCodeAt(0) || 0)),
  }),
  close: async () => {},
}

const idOf = (text: string) => (tokenizer.tokenizer.model as { vocab: Record<string, number> }).vocab[text]

function contextOf(examples: readonly Example[], parts: Partial<TrainerContext> = {}): TrainerContext {
  return {
    bus: createBus(),
    policy: sayer(idOf('b')),
    reference: sayer(idOf('a')),
    reward,
    data: {
      trainLength: 0,
      trainFingerprint: '',
      evaluationLength: examples.length,
      evaluationFingerprint: '',
      next: async () => [],
      read: async (_, indices) => indices.map((index) => examples[index]),
    },
    totalSteps: 1,
    startStep: 1,
    seed: 0,
    cacheFolder: '',
    signal: new AbortController().signal,
    ...parts,
  }
}

it('compares both answers to every held-out prompt and shows the first ones', async () => {
  const { metrics, samples } = await evaluatorOf({ samples: 2 }).evaluate(contextOf(examplesOf(5)))
  expect(metrics.win_rate).toEqual({ value: 1, low: 1, high: 1, count: 5 })
  expect(metrics['reward/policy'].value).toBe(98)
  expect(metrics['reward/reference'].value).toBe(97)
  expect(samples).toEqual([
    { prompt: 'prompt 0', completions: { reference: { text: 'a', score: 97 }, policy: { text: 'b', score: 98 } } },
    { prompt: 'prompt 1', completions: { reference: { text: 'a', score: 97 }, policy: { text: 'b', score: 98 } } },
  ])
})

it('asks both for the same prompts with the same random numbers, in lots, each prompt once', async () => {
  const [policy, reference]: GenerateRequest[][] = [[], []]
  const progress: number[] = []
  const context = contextOf(examplesOf(150), { policy: sayer(1, policy), reference: sayer(2, reference) })
  context.bus.on('progress.made', ({ done }) => progress.push(done))
  const { metrics } = await evaluatorOf({ prompts: 90, maxNewTokens: 5, temperature: 0.5, topP: 0.9 }).evaluate(context)
  expect(policy).toEqual(reference)
  expect(policy[0].sampling).toEqual({ maxNewTokens: 5, temperature: 0.5, topP: 0.9, seed: 3 })
  expect(policy.flatMap(({ streams }) => streams)).toEqual(Array.from({ length: 90 }, (_, k) => k))
  expect(new Set(policy.flatMap(({ prompts }) => prompts.map(String))).size).toBe(90)
  expect(progress).toEqual([64, 90])
  expect(metrics.win_rate.count).toBe(90)
})

it('gives the reward source prompts, texts without special tokens, and columns', async () => {
  const seen: Scorable[] = []
  const spy: RewardSource = { ...reward, score: (request) => (seen.push(...request.rollouts), reward.score(request)) }
  await evaluatorOf().evaluate(contextOf(examplesOf(1), { reward: spy, policy: sayer(0) }))
  expect(seen[0]).toMatchObject({ prompt: { text: 'prompt 0' }, completion: { text: '' }, columns: { gold: 0 } })
})

it('adds up scores that come per token or per step', async () => {
  const perToken: RewardSource = {
    ...reward,
    score: async ({ rollouts }) => ({ granularity: 'token', scores: rollouts.map(() => Float64Array.of(1, 2, 3)) }),
  }
  const { metrics } = await evaluatorOf().evaluate(contextOf(examplesOf(2), { reward: perToken }))
  expect(metrics['reward/policy'].value).toBe(6)
})

describe('says what is missing', () => {
  it.each<[string, string, Partial<TrainerContext>, Example[]]>([
    ['no reward', 'COLLIMATE_EVALUATOR_INCOMPLETE', { reward: undefined }, examplesOf(1)],
    ['no reference', 'COLLIMATE_EVALUATOR_INCOMPLETE', { reference: undefined }, examplesOf(1)],
    ['no held-out prompts', 'COLLIMATE_EVALUATION_EMPTY', {}, []],
    [
      'no tokenizer',
      'COLLIMATE_TOKENIZER_MISSING',
      { policy: { describe: async () => ({}) } as unknown as Policy },
      examplesOf(1),
    ],
    [
      'a score that is no number',
      'COLLIMATE_REWARD_NOT_FINITE',
      {
        reward: {
          ...reward,
          score: async ({ rollouts }) => ({
            granularity: 'sequence',
            scores: rollouts.map(() => Float64Array.of(NaN)),
          }),
        },
      },
      examplesOf(1),
    ],
  ])('%s', async (_, code, parts, examples) => {
    await expect(evaluatorOf().evaluate(contextOf(examples, parts))).rejects.toThrow(expect.objectContaining({ code }))
  })

  it('ends when the user wants to stop', async () => {
    await expect(evaluatorOf().evaluate(contextOf(examplesOf(1), { signal: AbortSignal.abort() }))).rejects.toThrow()
  })
})

it.each([[{ prompts: 0 }], [{ temperature: -1 }], [{ topP: 0 }], [{ topP: 1.1 }], [{ samples: -1 }], [{ promps: 1 }]])(
  'its options refuse %j',
  (options) => {
    expect(winRateOptions.safeParse(options).success).toBe(false)
  },
)
