import { stream, uniform } from '@collimate/core'
import type { GenerateRequest, Generation } from '@collimate/core'
import { checkGenerate } from '@collimate/models'
import { decode } from './decode.js'
import type { Completion } from './decode.js'
import type { DecodeShape } from './decode-programs.js'
import { openSession } from './decode-session.js'
import type { Engine } from './engine.js'
import { roundUp, scheduleDecoding } from './schedule.js'
import type { DecodeBatch } from './schedule.js'
import type { WeightSource } from './weights.js'

/** Slots for new tokens in the first cache of a batch: a longer one makes steps slower, and most completions are short. */
const FIRST_SLOTS = 128

/** Building weights into a step program (some 100 ms more for six million weights) is regained in about as many steps. */
const STEPS_WORTH_FREEZING = 128

export type Generate = (request: GenerateRequest, version: number) => Promise<Generation>

/** Samples completions with a key-value cache on the backend. */
export function createGenerator(engine: Engine, weights: WeightSource): Generate {
  const { files, options } = engine
  const { config } = files
  // Steps made with the present weights, so that many short requests are worth freezing too.
  let steps = { content: '', count: 0 }

  async function decodeBatch(
    batch: DecodeBatch,
    { prompts, sampling, streams }: GenerateRequest,
    allowances: readonly number[],
  ): Promise<readonly Completion[]> {
    if (steps.content !== weights.content()) steps = { content: weights.content(), count: 0 }
    steps.count += batch.steps
    const session = await openSession(engine, weights, {
      size: { rows: batch.rows, capacity: Math.min(batch.capacity, roundUp(batch.width + FIRST_SLOTS)) },
      sampling: { greedy: sampling.temperature === 0, truncation: truncationOf(sampling) },
      frozen: options.freezeDecoding && steps.count >= STEPS_WORTH_FREEZING,
    })
    try {
      return await decode(session, {
        batch,
        prompts,
        allowances,
        stopTokens: new Set(sampling.stopTokens ?? files.eosTokens),
        contextLength: config.contextLength,
        temperature: sampling.temperature,
        uniform: (prompt, index) => uniform(sampling.seed, stream('sampling', streams?.[prompt] ?? prompt), index),
      })
    } finally {
      await session.release()
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
    for (const batch of batches)
      for (const completion of await decodeBatch(batch, request, allowances))
        completions[completion.prompt] = completion
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
