import { stream, uniform } from '@collimate/core'
import type { GenerateRequest, Generation } from '@collimate/core'
import { checkGenerate } from '@collimate/models'
import { decode } from './decode.js'
import type { DecodeShape } from './decode-programs.js'
import { openSession } from './decode-session.js'
import type { Engine } from './engine.js'
import type { WeightSource } from './weights.js'

/** Columns for new tokens in the first cache: more make steps slower, and most completions are short. */
const FIRST_COLUMNS = 128

/** So many steps are missed savings before the cache changes its size to have them: about the price of the change. */
const STEPS_PER_MOVE = 32

/** Building weights into a step program (some 100 ms more for six million weights) is regained in about as many steps. */
const STEPS_WORTH_FREEZING = 128

export type Generate = (request: GenerateRequest, version: number) => Promise<Generation>

/** Samples completions with a key-value cache on the backend. */
export function createGenerator(engine: Engine, weights: WeightSource): Generate {
  const { files, options } = engine
  const { config } = files
  // Steps made with the present weights, so that many short requests are worth freezing too.
  let steps = { content: '', count: 0 }

  /** Whether as many more steps make it worth building the weights into their program. */
  function worthFreezing(more: number): boolean {
    if (steps.content !== weights.content()) steps = { content: weights.content(), count: 0 }
    steps.count += more
    return options.freezeDecoding && steps.count >= STEPS_WORTH_FREEZING
  }

  return async (request, version) => {
    checkGenerate(request, config)
    const { prompts, sampling, streams, batchSize = options.decodeBatchSize } = request
    const allowances = prompts.map((prompt) => Math.min(sampling.maxNewTokens, config.contextLength - prompt.length))
    const session = openSession(engine, weights, {
      sampling: { greedy: sampling.temperature === 0, truncation: truncationOf(sampling) },
      frozen: worthFreezing(mostSteps(allowances, batchSize)),
    })
    try {
      const completions = await decode(session, {
        prompts,
        allowances,
        stopTokens: new Set(sampling.stopTokens ?? files.eosTokens),
        batchSize,
        contextLength: config.contextLength,
        firstColumns: FIRST_COLUMNS,
        stepsPerMove: STEPS_PER_MOVE,
        temperature: sampling.temperature,
        uniform: (prompt, index) => uniform(sampling.seed, stream('sampling', streams?.[prompt] ?? prompt), index),
      })
      return {
        completions: completions.map(({ tokens }) => Int32Array.from(tokens)),
        logProbs: completions.map(({ logProbs }) => Float32Array.from(logProbs)),
        endedBy: completions.map(({ endedBy }) => endedBy),
        version,
        temperature: sampling.temperature,
      }
    } finally {
      await session.release()
    }
  }
}

/** About as many steps as completions need that all get what they may. */
function mostSteps(allowances: readonly number[], batchSize: number): number {
  const total = allowances.reduce((sum, allowance) => sum + allowance, 0)
  const most = allowances.reduce((greatest, allowance) => Math.max(greatest, allowance), 0)
  return Math.max(most, total / batchSize)
}

/** Options that exclude nothing are left out, so that they need no program of their own. */
function truncationOf({ topK, topP }: GenerateRequest['sampling']): DecodeShape['truncation'] {
  return { ...(topK !== undefined && { topK }), ...(topP !== undefined && topP < 1 && { topP }) }
}
