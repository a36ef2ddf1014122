import { stream, uniform } from '@collimate/core'
import type { Generation, GenerateRequest, Policy } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import type { Mutation } from './mutant.js'
import { changed, type CreatePolicy } from './policies-layout.js'

/** A policy whose samples are changed after sampling. */
const resampled = (
  change: (
    generation: Generation,
    request: GenerateRequest,
    policy: Policy,
  ) => Partial<Generation> | Promise<Partial<Generation>>,
): Mutation<CreatePolicy>['wrong'] =>
  changed((policy) => ({
    generate: async (request) => {
      const generation = await policy.generate(request)
      return { ...generation, ...(await change(generation, request, policy)) }
    },
  }))

/** log π of given completions at a temperature, by a forward pass. */
async function scored(
  policy: Policy,
  prompts: readonly Int32Array[],
  completions: readonly Int32Array[],
  temperature: number,
): Promise<Float32Array[]> {
  const examples = prompts.map((prompt, index) => ({
    ...{ index, prompt, completions: [completions[index]], columns: {} },
    text: { prompt: '', completions: [''] },
  }))
  const batch = forestBatch(examples, { bucket: false })
  const logProbs = await policy.logProbs({ batch, temperature })
  return completions.map((_, sequence) =>
    Float32Array.from([...logProbs].filter((_value, t) => batch.tokenMask[t] === 1 && batch.sequences[t] === sequence)),
  )
}

/** What the sampler says of its samples. */
export const sampling: readonly Mutation<CreatePolicy>[] = [
  {
    id: 'policy-greedy-actions',
    defect: 'L14',
    what: 'the most likely token is given out in place of the one sampled',
    wrong: changed((policy) => ({
      generate: async (request) => {
        const { sampling } = request
        const greedy = await policy.generate({ ...request, sampling: { ...sampling, temperature: 0 } })
        return { ...greedy, temperature: sampling.temperature }
      },
    })),
  },
  {
    id: 'policy-log-probs-at-temperature-1',
    defect: 'class 47',
    what: 'log-probs of samples ignore the sampling temperature',
    wrong: resampled(async ({ completions }, { prompts }, policy) => ({
      logProbs: await scored(policy, prompts, completions, 1),
    })),
  },
  {
    id: 'policy-recomputes-at-temperature-1',
    defect: 'class 47',
    what: 'recomputed log-probs ignore the temperature',
    wrong: changed((policy) => ({
      outputs: ({ batch, names }) => policy.outputs({ batch, names }),
      logProbs: ({ batch }) => policy.logProbs({ batch }),
    })),
  },
  {
    id: 'policy-log-probs-renormalised',
    defect: 'class 48',
    what: 'log-probs of samples change where top-k or top-p cuts tokens off',
    wrong: resampled(({ logProbs }, { sampling }) =>
      sampling.topK === undefined && sampling.topP === undefined
        ? {}
        : { logProbs: logProbs.map((values) => values.map((value) => value / 2)) },
    ),
  },
  {
    id: 'policy-log-probs-of-neighbour',
    defect: 'class 50',
    what: 'each token has the log-prob of the token before it',
    wrong: resampled(({ logProbs }) => ({
      logProbs: logProbs.map((values) => values.map((value, at) => values[at - 1] ?? value)),
    })),
  },
  {
    id: 'policy-drops-stop-token',
    defect: 'class 1',
    what: 'the token that ends a completion is not part of it',
    wrong: resampled(({ completions, logProbs, endedBy }) => ({
      completions: completions.map((ids, at) => (endedBy[at] === 'stop' ? ids.slice(0, -1) : ids)),
      logProbs: logProbs.map((values, at) => (endedBy[at] === 'stop' ? values.slice(0, -1) : values)),
    })),
  },
  {
    id: 'policy-stop-taken-for-length',
    defect: 'L5, class 6',
    what: 'a completion that ends on its very last token counts as cut off',
    wrong: resampled(({ completions, endedBy }, { sampling }) => ({
      endedBy: endedBy.map((end, at) => (completions[at].length === sampling.maxNewTokens ? 'length' : end)),
    })),
  },
  {
    id: 'policy-samples-depend-on-batch',
    defect: 'class 20',
    what: 'the random numbers of a prompt depend on how many prompts are decoded together',
    wrong: changed((policy) => ({
      generate: (request) => {
        const { prompts, streams = prompts.map((_, at) => at) } = request
        const rows = Math.min(prompts.length, request.batchSize ?? prompts.length)
        return policy.generate({ ...request, streams: streams.map((which) => which + 1000 * rows) })
      },
    })),
  },
  {
    id: 'policy-ignores-seed',
    defect: 'class 30',
    what: 'every seed gives the same samples',
    wrong: changed((policy) => ({
      generate: (request) => policy.generate({ ...request, sampling: { ...request.sampling, seed: 1 } }),
    })),
  },
  {
    id: 'policy-ignores-top-k',
    defect: 'class 30',
    what: 'topK is accepted and does nothing',
    wrong: changed((policy) => ({
      generate: (request) => {
        const { topK: _, ...sampling } = request.sampling
        return policy.generate({ ...request, sampling })
      },
    })),
  },
  {
    id: 'policy-ignores-top-p',
    defect: 'class 30',
    what: 'topP is accepted and does nothing',
    wrong: changed((policy) => ({
      generate: (request) => {
        const { topP: _, ...sampling } = request.sampling
        return policy.generate({ ...request, sampling })
      },
    })),
  },
  {
    id: 'policy-stale-version',
    defect: 'class 51',
    what: 'samples carry the version of the policy as it was created',
    wrong: resampled(() => ({ version: 0 })),
  },
  {
    id: 'policy-stale-sampler',
    defect: 'class 51',
    what: 'sampling goes on with the weights of the beginning',
    wrong: changed((policy) => {
      let first: ReturnType<Policy['reference']> | undefined
      return {
        update: async (request) => {
          await (first ??= policy.reference())
          return policy.update(request)
        },
        generate: async (request) => {
          if (!first) return policy.generate(request)
          const { version } = await policy.describe()
          return { ...(await (await first).generate(request)), version }
        },
        close: async () => {
          await (await first)?.close()
          await policy.close()
        },
      }
    }),
  },
  {
    id: 'policy-dropout-left-on',
    defect: 'class 44',
    what: 'log-probs are noisy: the same batch gives other values each time',
    wrong: changed((policy) => {
      let calls = 0
      const noisy = <Values extends Float32Array | Float64Array>(values: Values): Values => {
        calls++
        return values.map((value, at) =>
          value === 0 ? 0 : value * (1 + 0.1 * uniform(1, stream('bootstrap', calls), at)),
        ) as Values
      }
      return {
        outputs: async (request) => {
          const outputs = await policy.outputs(request)
          return { ...outputs, ...(outputs.logProbs && { logProbs: noisy(outputs.logProbs) }) }
        },
        logProbs: async (request) => noisy(await policy.logProbs(request)),
      }
    }),
  },
]
