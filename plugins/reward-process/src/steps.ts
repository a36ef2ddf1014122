import type { Scorable } from '@collimate/core'
import type { Tokenizer } from '@collimate/data'
import { endsByCount, endsByDelimiter } from './step-ends.js'
import { tokenTexts } from './token-texts.js'

/** A completion and where its steps end. */
export interface Steps {
  readonly rollout: Scorable
  /** Index of the last token of each step, increasing. */
  readonly ends: Int32Array
  /** [tokens] what each token says, without special tokens; empty where nobody asked for texts. */
  readonly said: readonly string[]
}

/** How completions are divided: by what ends a step, or by its tokens. */
export type Division = { readonly delimiter: string } | { readonly stepTokens: number }

/** Divides completions into steps; a completion without tokens has none. Without a tokenizer only by their number. */
export function stepsOf(rollout: Scorable, division: Division, tokenizer: Tokenizer | undefined): Steps {
  const { prompt, completion } = rollout
  const texts = (skipSpecialTokens: boolean): string[] =>
    tokenizer ? tokenTexts(tokenizer, prompt.ids, completion.ids, { skipSpecialTokens }) : []
  const said = texts(true)
  const ends =
    'stepTokens' in division
      ? endsByCount(completion.ids.length, division.stepTokens)
      : endsByDelimiter(texts(false), said, division.delimiter)
  return { rollout, ends, said }
}
