import { createBus } from '@collimate/core'
import type { Example, ForestBatch, Policy, TrainerContext, UpdateReport, UpdateRequest } from '@collimate/core'

/** Pairs of uneven lengths, all different. */
export function pairsOf(count: number, columns: (index: number) => Record<string, unknown> = () => ({})): Example[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    prompt: Int32Array.of(1, 2 + index),
    completions: [Int32Array.from({ length: 1 + (index % 3) }, (_, k) => 5 + k), Int32Array.of(40 + index, 7)],
    text: { prompt: '', completions: ['', ''] },
    columns: columns(index),
  }))
}

/** The last token of a sequence and its place there: all that the scores below depend on. */
export type ScoreOf = (lastToken: number, position: number) => number

/** A reward model whose score of a sequence depends on its last token and its length alone, so on no layout. */
export function fakeModel(scoreOf: ScoreOf = (last, position) => last / 8 - position / 4) {
  const updates: UpdateRequest[] = []
  const scores = ({ ends, tokens, positions }: ForestBatch) =>
    Float64Array.from(ends, (end) => scoreOf(tokens[end], positions[end]))
  const report: UpdateReport = { loss: 0.5, metrics: {}, microBatches: [], gradNorm: 2, tokens: 9, version: 1 }
  const policy = {
    describe: async () => ({ outputs: ['values', 'scores'], eosTokens: [2, 3] }),
    outputs: async ({ batch }: { batch: ForestBatch }) => ({ scores: scores(batch) }),
    update: async (request: UpdateRequest) => (updates.push(request), report),
  } as unknown as Policy
  return { updates, policy, scoreOf }
}

/** A context over the pairs, in their order, held-out and for training alike. */
export function contextOf(pairs: readonly Example[], policy: Policy): TrainerContext {
  let place = 0
  return {
    ...{ bus: createBus(), policy, totalSteps: 2, startStep: 0, seed: 0, cacheFolder: '' },
    data: {
      ...{ trainLength: pairs.length, trainFingerprint: 'rows' },
      ...{ evaluationLength: pairs.length, evaluationFingerprint: 'held-out rows' },
      next: async (count) => pairs.slice(place, (place += count)),
      read: async (_, indices) => indices.map((index) => pairs[index]),
    },
    signal: new AbortController().signal,
  }
}
