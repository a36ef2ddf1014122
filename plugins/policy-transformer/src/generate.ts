import { stream, uniform } from '@collimate/core'
import type { GenerateRequest, Generation } from '@collimate/core'
import { checkGenerate } from './check-generate.js'
import { decode } from './decode.js'
import type { Completion, DecodeRun } from './decode.js'
import { cacheTensors, positionLimit, prefillProgram, stepProgram } from './decode-programs.js'
import type { DecodeShape } from './decode-programs.js'
import type { Engine } from './engine.js'
import { scheduleDecoding } from './schedule.js'
import type { DecodeBatch } from './schedule.js'
import type { WeightSource } from './weights.js'

/** Building weights into a step program takes about as long as this many steps gain by it. */
const STEPS_WORTH_FREEZING = 64

export type Generate = (request: GenerateRequest, version: number) => Promise<Generation>

/** Samples completions with a key-value cache on the backend. */
export function createGenerator({ backend, programs, files, options }: Engine, weights: WeightSource): Generate {
  const { config } = files
  // Steps made with the present weights, so that many short requests are worth freezing too.
  let steps = { content: '', count: 0 }

  async function decodeBatch(
    batch: DecodeBatch,
    { prompts, sampling, streams }: GenerateRequest,
    allowances: readonly number[],
  ): Promise<readonly Completion[]> {
    const shape: DecodeShape = {
      rows: batch.rows,
      capacity: batch.capacity,
      greedy: sampling.temperature === 0,
      truncation: truncationOf(sampling),
    }
    const key = JSON.stringify(shape)
    if (steps.content !== weights.content()) steps = { content: weights.content(), count: 0 }
    steps.count += batch.steps
    const frozen = options.freezeDecoding && steps.count >= STEPS_WORTH_FREEZING

    const cache = await backend.state({ tensors: cacheTensors(config, shape) })
    try {
      return await programs.use(
        {
          key: `prefill ${batch.width} ${key}`,
          build: () => ({ program: prefillProgram(files, shape, batch.width), info: undefined }),
        },
        (prefill) =>
          programs.use(
            {
              key: `step ${key}`,
              build: () => ({ program: stepProgram(files, shape, frozen), info: undefined }),
              ...(frozen && { frozen: { state: weights.state(), content: weights.content() } }),
            },
            (step) => {
              // Borrowed weights may move between two runs: their place is asked for at each.
              const run: DecodeRun = (program, feeds) =>
                program === 'prefill'
                  ? prefill.run(feeds, [weights.state(), cache])
                  : step.run(feeds, frozen ? [cache] : [weights.state(), cache])
              return decode(run, {
                batch,
                prompts,
                allowances,
                stopTokens: new Set(sampling.stopTokens ?? files.eosTokens),
                positionLimit: positionLimit(config, shape),
                temperature: sampling.temperature,
                uniform: (prompt, index) =>
                  uniform(sampling.seed, stream('sampling', streams?.[prompt] ?? prompt), index),
              })
            },
          ),
      )
    } finally {
      await backend.release({ id: cache })
    }
  }

  return async (request, version) => {
    checkGenerate(request, config)
    const { prompts, sampling } = request
    const allowances = prompts.map((prompt) => Math.min(sampling.maxNewTokens, config.contextLength - prompt.length))
    const batches = scheduleDecoding(
      prompts.map((prompt) => prompt.length),
      allowances,
      request.batchSize ?? options.decodeBatchSize,
    )
    const completions: Completion[] = []
    for (const batch of batches) {
      const decoded = await decodeBatch(batch, request, allowances)
      batch.prompts.forEach((prompt, row) => (completions[prompt] = decoded[row]))
    }
    return {
      completions: completions.map(({ tokens }) => tokens),
      logProbs: completions.map(({ logProbs }) => logProbs),
      endedBy: completions.map(({ endedBy }) => endedBy),
      version,
      temperature: sampling.temperature,
    }
  }
}

/** Options that exclude nothing are left out, so that they need no program of their own. */
function truncationOf({ topK, topP }: GenerateRequest['sampling']): DecodeShape['truncation'] {
  return { ...(topK !== undefined && { topK }), ...(topP !== undefined && topP < 1 && { topP }) }
}
