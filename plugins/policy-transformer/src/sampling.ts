import {
  add,
  and,
  argmax,
  broadcastTo,
  cast,
  cumsum,
  greater,
  greaterEqual,
  less,
  log,
  mul,
  or,
  pad,
  reshape,
  slice,
  softmax,
  sortDescending,
  sub,
  sum,
  takeAlong,
  where,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/** Which tokens may be sampled; a program is compiled for each setting. */
export interface Truncation {
  /** Keep the k most likely tokens and the ties of the k-th. */
  readonly topK?: number
  /** Keep the smallest set of most likely tokens that reaches this probability, and the ties of its last one. */
  readonly topP?: number
}

/**
 * Picks one token per row.
 *
 * `logits` [B, V] are already divided by the temperature; `uniforms` [B, 1] in [0, 1) are absent for greedy choice.
 * Returns the tokens [B] and their log-probabilities [B] under softmax(logits), before truncation.
 */
export function chooseTokens(logits: Tensor, uniforms: Tensor | undefined, truncation: Truncation) {
  const rows = dimension(logits, 0)
  const probabilities = softmax(logits)
  const tokens =
    uniforms === undefined ? argmax(logits) : invertCumulative(truncate(probabilities, truncation), uniforms)
  const chosen = takeAlong(probabilities, reshape(tokens, [rows, 1]), 1)
  return { tokens, logProbs: log(reshape(chosen, [rows])) }
}

/** Probabilities [B, V] with those of the excluded tokens set to 0 (the rest is not renormalised): top-k, then top-p of what is left. */
export function truncate(probabilities: Tensor, { topK, topP }: Truncation): Tensor {
  const rows = dimension(probabilities, 0)
  const k = Math.min(topK ?? Infinity, dimension(probabilities, 1))
  if (topK === undefined && topP === undefined) return probabilities

  const largest = sortDescending(probabilities, k)
  const kept = keepFrom(probabilities, slice(largest, [0, k - 1], [rows, k]))
  if (topP === undefined) return kept

  // A token belongs to the nucleus when the tokens before it have not reached p yet; the first always does.
  const before = cumsum(slice(pad(largest, [0, 1], [0, 0]), [0, 0], [rows, k]), 1)
  const inNucleus = less(before, mul(sum(kept, [1], true), topP))
  const last = sub(sum(cast(inNucleus, 'int'), [1], true), 1)
  return keepFrom(kept, takeAlong(largest, last, 1))
}

function keepFrom(probabilities: Tensor, threshold: Tensor): Tensor {
  return where(greaterEqual(probabilities, threshold), probabilities, 0)
}

/**
 * Inverse of the cumulative distribution: for each row of `masses` [B, V] (non-negative, any sum) the index at which the
 * cumulative sum first exceeds `uniforms` [B, 1] times the total. An index of mass 0 is never returned.
 *
 * Two levels, about √V blocks of √V masses: a cumulative sum over a whole vocabulary is slow (it runs on one thread).
 */
export function invertCumulative(masses: Tensor, uniforms: Tensor): Tensor {
  const rows = dimension(masses, 0)
  const size = dimension(masses, 1)
  const width = Math.ceil(Math.sqrt(size))
  const blocks = Math.ceil(size / width)
  const grid = reshape(pad(masses, [0, 0], [0, blocks * width - size]), [rows, blocks, width])

  const blockMasses = sum(grid, [2])
  const cumulative = cumsum(blockMasses, 1)
  const target = mul(uniforms, slice(cumulative, [0, blocks - 1], [rows, blocks]))
  const block = reshape(firstAbove(blockMasses, cumulative, target), [rows, 1])

  const rest = sub(target, takeAlong(sub(cumulative, blockMasses), block, 1))
  const inBlock = reshape(takeAlong(grid, broadcastTo(reshape(block, [rows, 1, 1]), [rows, 1, width]), 1), [
    rows,
    width,
  ])
  const column = firstAbove(inBlock, cumsum(inBlock, 1), rest)
  return add(mul(reshape(block, [rows]), width), column)
}

/**
 * [B] first index of positive mass whose cumulative sum exceeds the target; where rounding has put the target at or above
 * the total, the one that reaches the total.
 */
function firstAbove(masses: Tensor, cumulative: Tensor, target: Tensor): Tensor {
  const rows = dimension(masses, 0)
  const size = dimension(masses, 1)
  const total = slice(cumulative, [0, size - 1], [rows, size])
  const reached = or(greater(cumulative, target), greaterEqual(cumulative, total))
  return argmax(cast(and(greater(masses, 0), reached), 'float'))
}

function dimension(tensor: Tensor, axis: number): number {
  return tensor.shape[axis] ?? 1
}
