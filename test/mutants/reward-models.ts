import type { ForestBatch, Model, RewardSource, Scorable } from '@collimate/core'
import { lawsOfNewHead, lawsOfRewardSource, newHead } from '@collimate/laws'
import { bradleyTerryOptions, bradleyTerryReward } from '@collimate/reward-bradley-terry'
import { mutantsOf } from './mutant.js'

const normalisation = { mean: 0.5, std: 2 }

/** A score of everything that a token sees, in its order. */
const fold = (ids: readonly number[]): number => ids.reduce((state, id, at) => Math.sin(3 * state + id + at / 7), 1)

/** A reward model that reads a batch as it is: segments, prompts and ends. It checks nothing. */
function foldingModel(change: (batch: ForestBatch) => ForestBatch = (batch) => batch): Model {
  return {
    describe: async () => ({ outputs: ['values', 'scores'], contextLength: 8192 }),
    outputs: async ({ batch }: { batch: ForestBatch }) => {
      const { ends, tokens, segments, prompts, width } = change(batch)
      const scores = Float64Array.from(ends, (end) => {
        const seen: number[] = []
        for (let at = end - (end % width); at <= end; at++)
          if (segments[at] === segments[end] || segments[at] === prompts[end]) seen.push(tokens[at])
        return fold(seen)
      })
      return { scores }
    },
    close: async () => undefined,
  } as unknown as Model
}

type CreateReward = () => Promise<RewardSource>

const sourceOf =
  (parts: { model?: Model; normalisation?: typeof normalisation } = {}): CreateReward =>
  () =>
    bradleyTerryReward(
      { model: foldingModel(), normalisation, policyTokenizer: async () => undefined, ...parts },
      bradleyTerryOptions.parse({ model: 'any', microBatchSize: 2 }),
    )

const reading =
  (change: (rollout: Scorable) => Scorable) =>
  (create: CreateReward): CreateReward =>
  async () => {
    const source = await create()
    return { ...source, score: ({ rollouts }) => source.score({ rollouts: rollouts.map(change) }) }
  }

const withBatches =
  (change: (batch: ForestBatch) => ForestBatch): ((create: CreateReward) => CreateReward) =>
  () =>
    sourceOf({ model: foldingModel(change) })

export const rewardModels = [
  mutantsOf<CreateReward>({
    subject: 'a reward model as reward source',
    right: sourceOf(),
    suite: (create, name) =>
      lawsOfRewardSource({
        ...{ name, create, claims: { deterministic: true, granularity: 'sequence' } },
        // An empty prompt is no part of these rollouts; an empty completion is.
        formula: ({ prompt, completion }) =>
          (fold([...prompt.ids, ...completion.ids]) - normalisation.mean) / normalisation.std,
      }),
    mutations: [
      {
        id: 'reward-model-one-token-early',
        defect: 'class 2, class 12',
        what: 'the score is read before the last token',
        wrong: withBatches((batch) => ({
          ...batch,
          ends: batch.ends.map((end) => (end % batch.width > 0 ? end - 1 : end)),
        })),
      },
      {
        id: 'reward-model-at-padding',
        defect: 'class 12',
        what: 'the score is read at the end of the row, on padding where there is some',
        wrong: withBatches((batch) => ({
          ...batch,
          ends: batch.ends.map((end) => end - (end % batch.width) + batch.width - 1),
        })),
      },
      {
        id: 'reward-model-without-end-token',
        defect: 'class 1',
        what: 'the token that ended the completion is not scored',
        wrong: reading((rollout) => ({
          ...rollout,
          completion: { ...rollout.completion, ids: rollout.completion.ids.slice(0, -1) },
        })),
      },
      {
        id: 'reward-model-without-prompt',
        defect: 'class 11',
        what: 'completions do not see their prompt',
        wrong: withBatches((batch) => ({ ...batch, prompts: batch.segments })),
      },
      {
        id: 'reward-model-siblings-seen',
        defect: 'class 41',
        what: 'completions that share a row see those before them',
        wrong: withBatches((batch) => ({
          ...batch,
          segments: batch.segments.map((segment) => (segment >= 0 ? 0 : -1)),
          prompts: batch.prompts.map((prompt) => (prompt >= 0 ? 0 : -1)),
        })),
      },
      {
        id: 'reward-model-not-normalised',
        defect: 'L4',
        what: 'the normalisation that was saved with the model is read and not used',
        wrong: () => sourceOf({ normalisation: { mean: 0, std: 1 } }),
      },
      {
        id: 'reward-model-normalised-by-batch',
        defect: 'class 38',
        what: 'scores are brought to mean 0 over what is scored together',
        wrong: (create) => async () => {
          const source = await create()
          return {
            ...source,
            async score(request) {
              const reply = await source.score(request)
              const mean = reply.scores.reduce((sum, [score]) => sum + score, 0) / Math.max(1, reply.scores.length)
              return { ...reply, scores: reply.scores.map(([score]) => Float64Array.of(score - mean)) }
            },
          }
        },
      },
    ],
  }),
  mutantsOf<typeof newHead>({
    subject: 'a new scalar head',
    right: newHead,
    suite: (create, name) => lawsOfNewHead({ name, create }),
    mutations: [
      {
        id: 'head-without-square-root',
        defect: 'L19',
        what: 'a new head has the standard deviation 1/(d + 1): scores begin √(d + 1) times too small',
        wrong: (right) => (width, seed) => Array.from(right(width, seed), (weight) => weight / Math.sqrt(width + 1)),
      },
      {
        id: 'head-of-library-default',
        defect: '-',
        what: 'a new head is drawn evenly from ±1/√d, as the default of a linear layer',
        wrong: (right) => (width, seed) =>
          Array.from(right(width, seed), (weight) => {
            const share = 1 / (1 + Math.exp(-1.702 * weight * Math.sqrt(width + 1)))
            return (2 * share - 1) / Math.sqrt(width)
          }),
      },
      {
        id: 'head-of-ones',
        defect: '-',
        what: 'a new head adds up the hidden state',
        wrong: () => (width) => new Float32Array(width).fill(1 / Math.sqrt(width + 1)),
      },
      {
        id: 'head-ignores-seed',
        defect: 'class 30',
        what: 'a new head is the same whatever the seed',
        wrong: (right) => (width) => right(width, 0),
      },
    ],
  }),
]
