import type { GenerateRequest, Generation, Policy, Sampling } from '@collimate/core'
import { distributionOf } from '../world/distribution-of.js'
import { known } from './cases.js'
import type { Opened, Subject } from './subject.js'

export type Size = Opened['about']

/** [context][V] log-probabilities of the token that comes next. */
export async function nextTokens(
  policy: Policy,
  contexts: readonly (readonly number[])[],
  size: Size,
  temperature = 1,
): Promise<readonly (readonly number[])[]> {
  const vocabulary = Array.from({ length: size.vocabularySize }, (_, token) => [token])
  return Promise.all(
    contexts.map(
      async (context) =>
        (await distributionOf(policy, { prompts: [context], completions: vocabulary }, temperature))[0],
    ),
  )
}

/** Completions of prompts of tokens. */
export const generate = (
  policy: Policy,
  prompts: readonly (readonly number[])[],
  sampling: Sampling,
  more: Partial<GenerateRequest> = {},
): Promise<Generation> => policy.generate({ prompts: prompts.map((ids) => Int32Array.from(ids)), sampling, ...more })

/** Tokens of the model, where its size is known by now. */
export const listOf =
  (subject: Subject) =>
  (ids: readonly number[]): string =>
    `[${known(ids, subject.size() ?? { vocabularySize: 32 }).join(' ')}]`
