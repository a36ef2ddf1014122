import type { ObjectiveTensors } from '@collimate/core'
import { and, greater, maximum, reshape, slice, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/** One answer of each pair, [N/2] each, nats; the log-probs are sums over the answer's tokens. */
export interface AnswerTensors {
  readonly logProb: Tensor
  readonly refLogProb: Tensor
  /** h = log π − log π_ref. */
  readonly logRatio: Tensor
  /** Tokens, at least 1. */
  readonly length: Tensor
}

export interface PairTensors {
  readonly chosen: AnswerTensors
  readonly rejected: AnswerTensors
  /** bool [N/2]: false at padding. */
  readonly real: Tensor
}

/**
 * The pairs of a batch: sequences 2i chosen, 2i + 1 rejected. The log-ratio is taken per token before it is summed, so
 * that float32 subtracts numbers of like size.
 */
export function pairTensors(t: ObjectiveTensors<Tensor>): PairTensors {
  const { refLogProbs } = t.inputs
  const logProb = pairs(t.sumBySequence(t.logProbs))
  const refLogProb = pairs(t.sumBySequence(refLogProbs))
  const logRatio = pairs(t.sumBySequence(sub(t.logProbs, refLogProbs)))
  const length = pairs(maximum(t.sumBySequence(t.tokenMask), 1))
  const real = pairs(greater(t.sequenceMask, 0.5))
  const answer = (which: 'chosen' | 'rejected'): AnswerTensors => ({
    logProb: logProb[which],
    refLogProb: refLogProb[which],
    logRatio: logRatio[which],
    length: length[which],
  })
  return { chosen: answer('chosen'), rejected: answer('rejected'), real: and(real.chosen, real.rejected) }
}

/** Splits [N] into the even (chosen) and odd (rejected) sequences, [N/2] each. */
function pairs(perSequence: Tensor): { readonly chosen: Tensor; readonly rejected: Tensor } {
  const count = perSequence.size / 2
  const columns = reshape(perSequence, [count, 2])
  const column = (k: number) => reshape(slice(columns, [0, k], [count, k + 1]), [count])
  return { chosen: column(0), rejected: column(1) }
}
