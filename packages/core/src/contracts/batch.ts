import type { TensorData } from './program.js'

/**
 * Rows are forests. A row holds one or more prompts, each followed by one or more completions, so that a prompt that
 * several completions share is computed once, and several examples can be packed into one row.
 *
 * A token sees itself and the earlier tokens of its own segment and of its prompt's segment. Masks come from segments and
 * lengths, never from token identity. Sizes: R rows, S tokens a row, T scored tokens, N sequences (one completion with its
 * prompt each). Padding may stand anywhere; it changes no value.
 *
 * Sequences of one example are neighbours: a preference pair occupies sequences 2i (chosen) and 2i + 1 (rejected), a group
 * of k rollouts k·i to k·i + k − 1.
 */
export interface ForestBatch {
  readonly rows: number
  readonly width: number
  /** [R·S] token ids, 0 at padding. */
  readonly tokens: Int32Array
  /** [R·S] position of the token in its own sequence, counted from the first token of its prompt. */
  readonly positions: Int32Array
  /** [R·S] segment of the token, unique within its row; −1 at padding. */
  readonly segments: Int32Array
  /** [R·S] segment of the token's prompt; its own segment where the token belongs to a prompt or has none. */
  readonly prompts: Int32Array

  /** [T] flat index (row · S + column) of the token whose next-token distribution is read. */
  readonly sources: Int32Array
  /** [T] the token id that is scored there. */
  readonly targets: Int32Array
  /** [T] the sequence that the scored token belongs to, 0 to N − 1. */
  readonly sequences: Int32Array
  /** [T] 1 for a scored token, 0 for padding. */
  readonly tokenMask: Float32Array
  /** [N] 1 for a sequence, 0 for padding. */
  readonly sequenceMask: Float32Array
  readonly sequenceCount: number
  /**
   * [N] flat index (row · S + column) of the last token of each sequence: its completion's last, or its prompt's where the
   * completion is empty; 0 at padding, and for a sequence without any token.
   */
  readonly ends: Int32Array

  /** Tokens of the rows that are not padding (a shared prompt counts once). */
  readonly tokenCount: number
  /** Further inputs of an objective by name, sized as the objective declares (per token [T], sequence [N], pair [N/2]). */
  readonly inputs: Readonly<Record<string, TensorData>>
}
