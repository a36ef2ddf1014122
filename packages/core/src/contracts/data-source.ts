import type { TokenizerFiles } from './model.js'

/** TRL's dataset types. */
export type DatasetType = 'language-modeling' | 'prompt-only' | 'prompt-completion' | 'preference' | 'stepwise'

/** Label of a token that ends no step, in stepwise data. */
export const NO_LABEL = -100

/**
 * One prompt and its completions, as token ids: none for prompts only, one for text (with an empty prompt) and
 * prompt-completion, two for a preference (chosen, rejected), one for stepwise supervision (all steps, each with its separator).
 */
export interface Example {
  /** Index of the row in its file, from 0, before anything was dropped. */
  readonly index: number
  readonly prompt: Int32Array
  readonly completions: readonly Int32Array[]
  /** For each completion: 1 where a token is trained on; absent = all tokens of the completion. */
  readonly masks?: readonly Uint8Array[]
  /**
   * Stepwise data, for each completion and token of it: 1 or 0 at the last token of a step that is right or wrong,
   * `NO_LABEL` (−100) at all others. What is trained on are these tokens, each with all that was written up to it.
   */
  readonly labels?: readonly Int32Array[]
  /** Prompt and completions as text, for samples and reward functions. */
  readonly text: { readonly prompt: string; readonly completions: readonly string[] }
  /** The other columns of the row. */
  readonly columns: Readonly<Record<string, unknown>>
}

/** What becomes of rows that are too long. */
export type Truncation = 'keep_start' | 'keep_end' | 'drop'

export interface DataRequest {
  readonly type: DatasetType
  readonly tokenizer: TokenizerFiles
  /** Longest prompt + completion, tokens; null = no limit. */
  readonly maxLength: number | null
  /** Which end of a sequence that is too long is kept; `drop` leaves its row out, counted as `too_long`. */
  readonly truncation: Truncation
  /**
   * Put several whole documents into one example of at most `maxLength` tokens (best-fit decreasing, arXiv 2404.10830): such
   * an example has an empty prompt and the documents as completions, each by itself. Default: one example a row.
   */
  readonly packing?: 'bfd'
  /** What is written behind each step of stepwise data; default a line break. */
  readonly stepSeparator?: string
  readonly seed: number
}

export interface SplitInfo {
  readonly length: number
  /** Hash of the tokenised rows (hex): part of the key of cached log-probs. */
  readonly fingerprint: string
}

export interface DataInfo {
  readonly train: SplitInfo
  readonly evaluation?: SplitInfo
  /** Rows that were left out, by reason, e.g. `identical`, `emptied`, `too_long`, `prompts_differ`. */
  readonly dropped: Readonly<Record<string, number>>
}

/** Where examples come from. Order is not its business: the runner asks for rows by index. */
export interface DataSource {
  /** Reads and tokenises. Errors name file, line and field. */
  open(request: DataRequest): Promise<DataInfo>
  read(request: { split: 'train' | 'evaluation'; indices: readonly number[] }): Promise<readonly Example[]>
  close(): Promise<void>
}

export const dataSourceVerbs = ['open', 'read', 'close'] as const
