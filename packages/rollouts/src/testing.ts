import { createBus } from '@collimate/core'
import type { Example, Reference, Rollout, TrainerContext } from '@collimate/core'

/** A rollout of given length, in which token k has log-prob −k/10. */
export function rolloutOf(length: number, changes: Partial<Rollout> = {}): Rollout {
  const ids = Int32Array.from({ length }, (_, at) => at + 1)
  return {
    prompt: { ids: Int32Array.of(9), text: 'p' },
    completion: { ids, text: ids.join(' ') },
    logProbs: Float32Array.from(ids, (id) => -id / 10),
    mask: new Uint8Array(length).fill(1),
    ...{ endedBy: 'stop', version: 0, temperature: 1, columns: {}, ...changes },
  }
}

export const exampleOf = (index: number, prompt: readonly number[]): Example => ({
  ...{ index, prompt: Int32Array.from(prompt), completions: [], columns: { row: index } },
  text: { prompt: prompt.join(' '), completions: [] },
})

/**
 * A policy that answers stream s with s % 3 + 1 tokens of log-prob −½, the last of which ends it unless there are three; as
 * a reference it gives every token the log-prob −1.
 */
export function countingPolicy(): Pick<Reference, 'describe' | 'generate' | 'outputs'> {
  return {
    describe: async () => ({
      ...{ architecture: 'counting', parameters: 0, vocabularySize: 10, contextLength: 99, outputs: ['logProbs'] },
      ...{ eosTokens: [0], version: 4, weightsHash: '' },
    }),
    async generate({ prompts, streams = [], sampling }) {
      const lengths = prompts.map((_, at) => (streams[at] % 3) + 1)
      return {
        completions: lengths.map((length) => new Int32Array(length).fill(5)),
        logProbs: lengths.map((length) => new Float32Array(length).fill(-0.5)),
        endedBy: lengths.map((length) => (length === 3 ? 'length' : 'stop')),
        ...{ version: 4, temperature: sampling.temperature },
      }
    },
    outputs: async ({ batch }) => ({ logProbs: Float64Array.from(batch.tokenMask, (bit) => -bit) }),
  }
}

/** What `collectRollouts` is given of a run. */
export function surroundings(policy = countingPolicy()) {
  const bus = createBus()
  const reward: TrainerContext['reward'] = {
    score: async ({ rollouts }) => ({
      granularity: 'sequence',
      scores: rollouts.map(({ completion }) => Float64Array.of(completion.ids.length)),
    }),
    close: async () => undefined,
  }
  return { bus, policy: policy as TrainerContext['policy'], reference: policy as Reference, reward, seed: 1 }
}
