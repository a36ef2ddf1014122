import { NO_LABEL } from '@collimate/core'
import type { Example } from '@collimate/core'
import type { DatasetRow } from './dataset-types.js'
import { decodedTexts } from './tokenize.js'
import type { Tokenized, TokenizeOptions } from './tokenize.js'
import { longestOf, truncate } from './truncate.js'

export interface TokenizeStepsOptions extends Pick<TokenizeOptions, 'tokenizer' | 'maxLength' | 'truncation'> {
  /** What is written behind each step; default a line break. */
  readonly stepSeparator?: string | undefined
}

/**
 * Tokenises stepwise data as TRL's PRMTrainer does: the prompt, each step and the separator behind each step by themselves,
 * put one behind the other, without an end token. The label of a step stands at the last token of its separator. Where a
 * tokenizer names a beginning-of-sequence token without putting it before texts, TRL does and this does not, because no
 * sampler would. A row of which truncation leaves no label is `emptied`.
 */
export function tokenizeSteps(row: DatasetRow, options: TokenizeStepsOptions): Tokenized {
  const { tokenizer, maxLength, truncation, stepSeparator = '\n' } = options
  const prompt = row.prompt as string
  const steps = row.completions as readonly string[]
  const separator = tokenizer.encode(stepSeparator)
  const ids: number[] = []
  const labels: number[] = []
  for (const [at, step] of steps.entries()) {
    const tokens = [...tokenizer.encode(step), ...separator]
    ids.push(...tokens)
    labels.push(...tokens.map((_, token) => (token === tokens.length - 1 ? (row.labels?.[at] ?? NO_LABEL) : NO_LABEL)))
  }
  const parts = {
    prompt: tokenizer.encode(prompt, { beginning: true }),
    completions: [Int32Array.from(ids)],
    labels: [Int32Array.from(labels)],
  }
  if (truncation === 'drop' && longestOf(parts) > (maxLength ?? Infinity)) return { dropped: 'too_long' }
  const cut = truncation === 'drop' ? parts : truncate(parts, maxLength, truncation)
  if (cut.labels[0].every((label) => label === NO_LABEL)) return { dropped: 'emptied' }
  const example: Example = {
    index: row.source.index,
    ...cut,
    text:
      cut === parts
        ? { prompt, completions: [steps.map((step) => step + stepSeparator).join('')] }
        : decodedTexts(cut, tokenizer),
    columns: row.columns,
  }
  return { example, promptCut: false }
}
