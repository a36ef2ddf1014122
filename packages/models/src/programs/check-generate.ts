import { CollimateError } from '@collimate/core'
import type { GenerateRequest, Sampling } from '@collimate/core'
import type { ModelSize } from './check-batch.js'

/** Refuses a request that cannot be answered: COLLIMATE_SAMPLING_INVALID, COLLIMATE_PROMPT_EMPTY, _TOO_LONG, COLLIMATE_TOKEN_UNKNOWN. */
export function checkGenerate({ prompts, sampling, streams, batchSize }: GenerateRequest, model: ModelSize): void {
  checkSampling(sampling, model.vocabularySize)
  if (batchSize !== undefined) requireInteger('batchSize', batchSize, 1)
  if (streams !== undefined && streams.length !== prompts.length)
    throw invalid(`there are ${streams.length} streams for ${prompts.length} prompts`, 'Give one stream per prompt.')
  streams?.forEach((value, index) => requireInteger(`streams[${index}]`, value, 0, 2 ** 32 - 1))

  prompts.forEach((prompt, index) => {
    if (prompt.length === 0)
      throw new CollimateError('COLLIMATE_PROMPT_EMPTY', `prompt ${index} has no token`, {
        hint: 'A language model continues at least one token: begin with the beginning-of-sequence token where the model has one.',
      })
    if (prompt.length >= model.contextLength)
      throw new CollimateError(
        'COLLIMATE_PROMPT_TOO_LONG',
        `prompt ${index} has ${prompt.length} tokens; the model's context of ${model.contextLength} leaves no room for a completion`,
        { hint: `Shorten the prompt to at most ${model.contextLength - 1} tokens.` },
      )
    prompt.forEach((token, position) => {
      if (token < 0 || token >= model.vocabularySize)
        throw new CollimateError(
          'COLLIMATE_TOKEN_UNKNOWN',
          `prompt ${index} has token ${token} at position ${position}; the vocabulary has ${model.vocabularySize} tokens`,
          { hint: 'Tokenise with the tokenizer of this model.' },
        )
    })
  })
}

function checkSampling(sampling: Sampling, vocabularySize: number): void {
  const { maxNewTokens, temperature, topK, topP, stopTokens, seed } = sampling
  requireInteger('maxNewTokens', maxNewTokens, 1)
  requireInteger('seed', seed, Number.MIN_SAFE_INTEGER)
  if (!(temperature >= 0 && temperature < Infinity)) throw invalid(`temperature is ${temperature}, not a number from 0`)
  if (temperature > 0 && temperature < 1e-4)
    throw invalid(`temperature ${temperature} is below 0.0001`, 'Use 0 for greedy choice.')
  if (topK !== undefined) requireInteger('topK', topK, 1)
  if (topP !== undefined && !(topP > 0 && topP <= 1)) throw invalid(`topP is ${topP}, not in (0, 1]`)
  if (temperature === 0 && (topK !== undefined || topP !== undefined))
    throw invalid(
      'topK and topP have no effect at temperature 0 (greedy choice)',
      'Leave them out, or raise temperature.',
    )
  stopTokens?.forEach((token, index) => requireInteger(`stopTokens[${index}]`, token, 0, vocabularySize - 1))
}

function requireInteger(field: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`
  throw invalid(`${field} is ${value}, not an integer ${range}`)
}

function invalid(message: string, hint?: string): CollimateError {
  return new CollimateError('COLLIMATE_SAMPLING_INVALID', message, hint === undefined ? {} : { hint })
}
