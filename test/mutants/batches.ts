import type { ForestBatch, Policy, Reference } from '@collimate/core'

export type BatchChange = (batch: ForestBatch) => ForestBatch

/** A frozen policy that sees its batches changed. */
function referenceWithBatches(inner: Reference, change: BatchChange): Reference {
  return {
    ...inner,
    outputs: (request) => inner.outputs({ ...request, batch: change(request.batch) }),
    logProbs: (request) => inner.logProbs({ ...request, batch: change(request.batch) }),
    evaluate: (request) => inner.evaluate({ ...request, batches: request.batches.map(change) }),
  }
}

/** A policy that sees its batches changed: how a defect of masks and layouts is planted without copying a model. */
export function withBatches(inner: Policy, change: BatchChange): Policy {
  return {
    ...inner,
    ...referenceWithBatches(inner, change),
    update: (request) => inner.update({ ...request, batches: request.batches.map(change) }),
    reference: async () => referenceWithBatches(await inner.reference(), change),
  }
}

/** The column of a flat index, and the indices of a row. */
const columnOf = ({ width }: ForestBatch, at: number): number => at % width

/** Log-probs read one token late: the target is scored where it stands, not before it. */
export const sourcesLate: BatchChange = (batch) => ({
  ...batch,
  sources: batch.sources.map((source) => (columnOf(batch, source) + 1 < batch.width ? source + 1 : source)),
})

/** Log-probs read one token early, where there is one. */
export const sourcesEarly: BatchChange = (batch) => {
  const { segments, prompts, sources } = batch
  const seen = (at: number, source: number): boolean =>
    segments[at] === segments[source] || segments[at] === prompts[source]
  return {
    ...batch,
    sources: sources.map((at) => (columnOf(batch, at) > 0 && seen(at - 1, at) ? at - 1 : at)),
  }
}

/** Padding of the scored tokens counts as scored. */
export const paddingScored: BatchChange = (batch) => ({ ...batch, tokenMask: batch.tokenMask.map(() => 1) })

/** Padding joins the segment before it, so that tokens behind it see it. */
export const paddingSeen: BatchChange = (batch) => {
  const segments = batch.segments.slice()
  const prompts = batch.prompts.slice()
  // Padding takes the segment of the next token in its row, else of the one before it.
  for (let row = 0; row < batch.rows; row++) {
    let next = -1
    let prompt = -1
    for (let column = batch.width - 1; column >= 0; column--) {
      const at = row * batch.width + column
      if (segments[at] >= 0) [next, prompt] = [segments[at], prompts[at]]
      else if (next >= 0) [segments[at], prompts[at]] = [next, prompt]
    }
  }
  return { ...batch, segments, prompts }
}

/** Everything in a row is one segment: packed neighbours and sibling answers are seen. */
export const segmentsMerged: BatchChange = (batch) => {
  const merged = batch.segments.map((segment) => (segment >= 0 ? 0 : -1))
  // Ends stay where a segment ends, or the batch would be refused.
  const last = (end: number): number => {
    const row = end - columnOf(batch, end)
    return row + merged.subarray(row, row + batch.width).lastIndexOf(0)
  }
  const ends = batch.ends.map((end, n) => (batch.sequenceMask[n] ? last(end) : 0))
  return { ...batch, segments: merged, prompts: merged, ends }
}

/** Completions do not see their prompt, but for their last tokens, by which a batch tells whose prompt it is. */
export const promptHidden: BatchChange = (batch) => {
  const ends = new Set(batch.ends)
  return { ...batch, prompts: batch.prompts.map((prompt, at) => (ends.has(at) ? prompt : batch.segments[at])) }
}

/** Positions counted along the row, padding and neighbours included. */
export const positionsByColumn: BatchChange = (batch) => ({
  ...batch,
  positions: batch.positions.map((_, at) => columnOf(batch, at)),
})

/** One window for a ragged batch: each sequence is scored on no more tokens than the shortest has, counted from its end. */
export const raggedWindow: BatchChange = (batch) => {
  const counts = new Int32Array(batch.sequenceCount)
  batch.sequences.forEach((sequence, t) => (counts[sequence] += batch.tokenMask[t]))
  const kept = Math.min(...counts.filter((count) => count > 0))
  const left = counts.slice()
  const tokenMask = batch.tokenMask.map((mask, t) => (mask && left[batch.sequences[t]]-- > kept ? 0 : mask))
  return { ...batch, tokenMask }
}

/** The pairing slips by one sequence: a chosen answer meets the rejected one of the next pair. */
export const pairsSlipped: BatchChange = (batch) => {
  const count = batch.sequenceCount
  const slipped = (n: number): number => (n + 1) % count
  const ends = batch.ends.map((_, n) => batch.ends[(n + count - 1) % count])
  return { ...batch, sequences: batch.sequences.map(slipped), ends }
}
