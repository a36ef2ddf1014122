import { CollimateError } from '@collimate/core'
import type { Example, Reference, Rollout, Sampling } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import type { Tokenizer } from '@collimate/data'

export interface SampleRequest {
  /** What is completed: their prompts. */
  readonly examples: readonly Example[]
  /** Completions of each prompt, neighbours in the result. */
  readonly groupSize: number
  readonly sampling: Sampling
  /** Random stream of the first completion; the others follow it. With the seed it fixes the samples. */
  readonly firstStream: number
  /** Rows that are decoded together; default the policy's choice. */
  readonly batchSize?: number
}

/** Turns ids into text; ids in words where the model has no tokenizer. */
export type TextOf = (before: Int32Array, ids: Int32Array) => string

/** How a model's completions are read; special tokens are left out of the text. */
export async function textOf(model: Pick<Reference, 'describe'>): Promise<TextOf> {
  const { tokenizer: files } = await model.describe()
  if (!files) return (_, ids) => ids.join(' ')
  const tokenizer: Tokenizer = createTokenizer(files)
  return (before, ids) => tokenizer.decodeAfter(before, ids, { skipSpecialTokens: true })
}

/**
 * Samples `groupSize` completions of each prompt. A sample depends on the seed and its stream alone, not on how prompts are
 * batched; every token of it counts (`mask` 1).
 *
 * @throws CollimateError COLLIMATE_PROMPT_EMPTY where a row has no prompt
 */
export async function sampleRollouts(
  policy: Pick<Reference, 'generate'>,
  text: TextOf,
  { examples, groupSize, sampling, firstStream, batchSize }: SampleRequest,
): Promise<readonly Rollout[]> {
  const empty = examples.find(({ prompt }) => prompt.length === 0)
  if (empty)
    throw new CollimateError('COLLIMATE_PROMPT_EMPTY', `row ${empty.index} has an empty prompt: nothing to complete`, {
      hint: 'give each row a prompt of at least one token',
    })
  const asked = examples.flatMap((example) => new Array<Example>(groupSize).fill(example))
  const { completions, logProbs, endedBy, version, temperature } = await policy.generate({
    prompts: asked.map(({ prompt }) => prompt),
    sampling,
    streams: asked.map((_, at) => firstStream + at),
    ...(batchSize !== undefined && { batchSize }),
  })
  return asked.map((example, at): Rollout => {
    const ids = completions[at]
    return {
      prompt: { ids: example.prompt, text: example.text.prompt },
      completion: { ids, text: text(example.prompt, ids) },
      ...{ logProbs: logProbs[at], mask: new Uint8Array(ids.length).fill(1), endedBy: endedBy[at] },
      ...{ version, temperature, columns: example.columns },
    }
  })
}
