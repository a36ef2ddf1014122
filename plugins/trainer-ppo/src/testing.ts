import { createBus } from '@collimate/core'
import type {
  CollimateEvents,
  Estimator,
  Example,
  ForestBatch,
  Model,
  ModelOutput,
  Policy,
  TrainerContext,
  UpdateReport,
  UpdateRequest,
  WeightedMean,
} from '@collimate/core'

/** Prompts of one or two tokens. */
export const promptsOf = (count: number): Example[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ index, prompt: Int32Array.from({ length: 1 + (index % 2) }, () => 10 + index), completions: [], columns: {} },
    text: { prompt: `prompt ${index}`, completions: [] },
  }))

export interface FakeOptions {
  readonly outputs?: readonly ModelOutput[]
  readonly vocabularySize?: number
  /** Metrics of the n-th update. */
  readonly metrics?: (update: number) => Readonly<Record<string, number>>
  /** Loss of the n-th update. */
  readonly loss?: (update: number) => number
}

/** The value that the fake critic gives the state before the token at a position of its sequence. */
export const valueAt = (position: number): number => position / 10

/**
 * A model that answers stream s with s % 3 + 1 tokens 5 of log-prob −½, cut where there are three; as a reference its tokens
 * have log-prob −1, as a critic the value of a state is a tenth of its position. It learns nothing and remembers what it
 * was asked.
 */
export function fakeModel(options: FakeOptions = {}) {
  const { outputs = ['logProbs', 'entropy'], vocabularySize = 99, metrics = () => ({}), loss = () => 0.5 } = options
  const updates: UpdateRequest[] = []
  const asked: ForestBatch[] = []
  const model = {
    describe: async () => ({ outputs, vocabularySize, eosTokens: [0], version: updates.length }),
    async generate({ prompts, streams = [], sampling }: Parameters<Policy['generate']>[0]) {
      const lengths = prompts.map((_, at) => (streams[at] % 3) + 1)
      return {
        completions: lengths.map((length) => new Int32Array(length).fill(5)),
        logProbs: lengths.map((length) => new Float32Array(length).fill(-0.5)),
        endedBy: lengths.map((length) => (length === 3 ? 'length' : 'stop')),
        ...{ version: updates.length, temperature: sampling.temperature },
      }
    },
    async outputs({ batch, names }: Parameters<Model['outputs']>[0]) {
      asked.push(batch)
      const { sources, positions, tokenMask, ends } = batch
      const all = {
        logProbs: Float64Array.from(tokenMask, (bit) => -bit),
        values: Float64Array.from(sources, (source, t) => (tokenMask[t] === 0 ? 0 : valueAt(positions[source] + 1))),
        scores: Float64Array.from(ends, (end) => valueAt(positions[end] + 1)),
      }
      return Object.fromEntries(names.map((name) => [name, all[name as keyof typeof all]]))
    },
    async update(request: UpdateRequest): Promise<UpdateReport> {
      const number = updates.push(request) - 1
      const count = request.batches.reduce((sum, { tokenMask }) => sum + tokenMask.filter((bit) => bit > 0).length, 0)
      const means = Object.entries<number>(metrics(number)).map(([name, mean]) => [name, { sum: mean * count, count }])
      return {
        ...{ loss: loss(number), metrics: Object.fromEntries(means) as Record<string, WeightedMean>, microBatches: [] },
        ...{ gradNorm: 1 + number, tokens: count, version: updates.length },
      }
    },
  }
  return { model: model as unknown as Policy, updates, asked }
}

/** Advantages are rewards less values, returns the rewards: easy to recompute. */
export const fakeEstimator: Estimator = {
  estimate: async ({ rewards, values = rewards, mask }) => ({
    advantages: rewards.map((reward, slot) => (mask[slot] === 0 ? 0 : reward - values[slot])),
    returns: rewards.map((reward, slot) => (mask[slot] === 0 ? 0 : reward)),
  }),
}

/** A run of `totalSteps` over the prompts, in their order; the reward of a completion is its number of tokens. */
export function settingOf(parts: Partial<TrainerContext> = {}, policyOptions: FakeOptions = {}) {
  const policy = fakeModel(policyOptions)
  const critic = fakeModel({ outputs: ['values', 'scores'], metrics: () => ({ 'loss/value_avg': 3 }) })
  const prompts = promptsOf(6)
  const bus = createBus()
  const estimated: CollimateEvents['advantages.estimated'][] = []
  bus.on('advantages.estimated', (event) => estimated.push(event))
  let place = 0
  const context: TrainerContext = {
    ...{ bus, policy: policy.model, reference: policy.model, critic: critic.model, estimator: fakeEstimator },
    reward: {
      score: async ({ rollouts }) => ({
        granularity: 'sequence',
        scores: rollouts.map(({ completion }) => Float64Array.of(completion.ids.length)),
      }),
      close: async () => undefined,
    },
    data: {
      ...{ trainLength: 6, trainFingerprint: '', evaluationLength: 4, evaluationFingerprint: '' },
      next: async (count) => prompts.slice(place, (place += count)),
      read: async (_, indices) => indices.map((index) => prompts[index]),
    },
    ...{ totalSteps: 2, startStep: 0, seed: 1, cacheFolder: '', signal: new AbortController().signal },
    ...parts,
  }
  return { context, policy, critic, estimated }
}
