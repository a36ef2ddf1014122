import { createBus } from '@collimate/core'
import type {
  Example,
  ForestBatch,
  Policy,
  Reference,
  TrainerContext,
  UpdateReport,
  UpdateRequest,
} from '@collimate/core'

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

/** A model whose log-prob of a token depends on the token, its place and `slope` alone, so on no layout. */
export function fakeModel(slope: number, weightsHash = `weights of slope ${slope}`) {
  const calls = { logProbs: 0, updates: [] as UpdateRequest[] }
  const logProbOf = (target: number, position: number) => -slope * (target + position / 8)
  const logProbs = ({ sources, targets, positions, tokenMask }: ForestBatch) =>
    Float64Array.from(sources, (source, t) => (tokenMask[t] === 1 ? logProbOf(targets[t], positions[source]) : 0))
  const report: UpdateReport = { loss: 0.5, metrics: {}, microBatches: [], gradNorm: 2, tokens: 9, version: 1 }
  const reference = {
    describe: async () => ({ weightsHash }),
    logProbs: async ({ batch }: { batch: ForestBatch }) => (calls.logProbs++, logProbs(batch)),
  } as unknown as Reference
  const policy = {
    ...reference,
    update: async (request: UpdateRequest) => (calls.updates.push(request), report),
  } as unknown as Policy
  return { calls, reference, policy, logProbOf }
}

/** A context over the pairs, in their order, held-out and for training alike. */
export function contextOf(
  pairs: readonly Example[],
  parts: Partial<TrainerContext> & Pick<TrainerContext, 'policy' | 'cacheFolder'>,
): TrainerContext {
  let place = 0
  return {
    bus: createBus(),
    data: {
      trainLength: pairs.length,
      trainFingerprint: 'rows',
      evaluationLength: pairs.length,
      evaluationFingerprint: 'held-out rows',
      next: async (count) => pairs.slice(place, (place += count)),
      read: async (_, indices) => indices.map((index) => pairs[index]),
    },
    totalSteps: 2,
    startStep: 0,
    seed: 0,
    signal: new AbortController().signal,
    ...parts,
  }
}
