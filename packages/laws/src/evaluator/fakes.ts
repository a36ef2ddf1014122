import {
  createBus,
  type Example,
  fraction,
  type GenerateRequest,
  type ModelDescription,
  type Policy,
  type Reference,
  type RewardSource,
  type TrainerContext,
} from '@collimate/core'
import { createTokenizer, trainByteBpe } from '@collimate/data'
import fc, { type Arbitrary } from 'fast-check'

/** What an evaluator is asked to measure: how many held-out rows, and how far the policy is from its reference. */
export interface EvaluationCase {
  readonly rows: number
  /** Seed of the run. */
  readonly seed: number
  /** The policy answers as its reference does. */
  readonly equal: boolean
  /** Every answer scores the same. */
  readonly flat: boolean
}

export const evaluationCases: Arbitrary<EvaluationCase> = fc.record({
  rows: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(999),
  equal: fc.boolean(),
  flat: fc.boolean(),
})

export const shownCase = ({ rows, seed, equal, flat }: EvaluationCase): string =>
  `${rows} held-out rows, seed ${seed}, a policy that answers ${equal ? 'as its reference' : 'otherwise than its reference'}, ${flat ? 'equal scores' : 'scores by content'}`

const files = trainByteBpe(['yes no perhaps, and so on.'], { vocabularySize: 270 })
const tokenizer = createTokenizer(files)

const describe: ModelDescription = {
  architecture: 'fake',
  parameters: 1,
  vocabularySize: tokenizer.vocabularySize,
  contextLength: 1024,
  outputs: ['logProbs', 'entropy', 'correct', 'meanLogits'],
  eosTokens: [tokenizer.eosToken?.id ?? 0],
  tokenizer: files,
  version: 1,
  weightsHash: '00',
}

/** A context of fakes, and what was done in it that an evaluator has no business with. */
export interface FakeContext {
  readonly context: TrainerContext
  readonly meddling: readonly string[]
}

export function fakeContext(
  { rows, seed, equal, flat }: EvaluationCase,
  without?: 'reference' | 'reward',
): FakeContext {
  const meddling: string[] = []
  const examples = examplesOf(rows)
  const reference = modelOf('reference', 1, meddling)
  const policy = modelOf('policy', equal ? 1 : 2, meddling)
  const context: TrainerContext = {
    bus: createBus(),
    policy,
    ...(without !== 'reference' && { reference }),
    ...(without !== 'reward' && { reward: rewardOf(flat) }),
    data: {
      trainLength: 0,
      trainFingerprint: '',
      evaluationLength: rows,
      evaluationFingerprint: `${rows} rows`,
      next: async () => {
        meddling.push('takes training examples')
        return []
      },
      read: async (split, indices) => (split === 'train' ? [] : indices.map((index) => examples[index])),
    },
    totalSteps: 10,
    startStep: 10,
    seed,
    cacheFolder: '',
    signal: new AbortController().signal,
  }
  return { context, meddling }
}

function examplesOf(rows: number): Example[] {
  return Array.from({ length: rows }, (_, index) => {
    const text = { prompt: `question ${index}?`, completions: [` yes ${index}`, ' no'] }
    return {
      index,
      prompt: tokenizer.encode(text.prompt),
      completions: text.completions.map((completion) => tokenizer.encode(completion)),
      text,
      columns: {},
    }
  })
}

/** A model whose answers and log-probabilities are a function of seed, stream and content. */
function modelOf(name: string, character: number, meddling: string[]): Policy {
  const refuse = (verb: string) => async (): Promise<never> => {
    meddling.push(`calls ${name}.${verb}`)
    throw new Error(`an evaluator has no business with ${verb}`)
  }
  const reader: Reference = {
    describe: async () => describe,
    generate: async (request) => answersOf(request, character),
    logProbs: async ({ batch }) =>
      Float64Array.from(batch.targets, (target, at) => -batch.tokenMask[at] * ((target * character) % 7)),
    outputs: async ({ batch, names }) =>
      Object.fromEntries(
        names.map((output) => [
          output,
          Float64Array.from(
            batch.targets,
            (target, at) => (batch.tokenMask[at] * ((target * character) % 5)) / 5 - (output === 'logProbs' ? 1 : 0),
          ),
        ]),
      ),
    evaluate: async ({ batches }) => ({
      loss: 0.5,
      metrics: {},
      microBatches: batches.map(() => ({ loss: 0.5, metrics: {} })),
      gradNorm: 0,
      tokens: 1,
      version: 1,
    }),
    close: refuse('close'),
  }
  return {
    ...reader,
    update: refuse('update'),
    snapshot: refuse('snapshot'),
    restore: refuse('restore'),
    save: refuse('save'),
    reference: async () => reader,
  }
}

function answersOf({ prompts, sampling, streams }: GenerateRequest, character: number) {
  const completions = prompts.map((_, i) => {
    const stream = streams?.[i] ?? i
    const draw = (at: number): number => fraction(sampling.seed * 7 + character, stream, at)
    const length = 1 + Math.floor(draw(0) * Math.min(5, sampling.maxNewTokens))
    return Int32Array.from({ length }, (_token, at) => 1 + Math.floor(draw(at + 1) * (tokenizer.vocabularySize - 1)))
  })
  return {
    completions,
    logProbs: completions.map((ids) => Float32Array.from(ids, () => -1)),
    endedBy: completions.map(() => 'length' as const),
    version: 1,
    temperature: sampling.temperature,
  }
}

const rewardOf = (flat: boolean): RewardSource => ({
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ completion: { ids } }) =>
      Float64Array.of(flat ? 1 : ids.reduce((sum, id) => sum + (id % 9), 0)),
    ),
  }),
  close: async () => undefined,
})
