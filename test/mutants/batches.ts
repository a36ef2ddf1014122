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

/** Scored tokens read elsewhere, where their sequence has a token there: one of another sequence would be refused. */
const sourcesMoved =
  (by: 1 | -1): BatchChange =>
  (batch) => {
    const { segments, prompts, sequences, ends } = batch
    const sources = batch.sources.map((source, t) => {
      const [at, end] = [source + by, ends[sequences[t]]]
      const inRow = at >= 0 && at <= end && Math.floor(at / batch.width) === Math.floor(source / batch.width)
      return inRow && (segments[at] === segments[end] || segments[at] === prompts[end]) ? at : source
    })
    return { ...batch, sources }
  }

/** Log-probs read one token late: the target is scored where it stands, not before it. */
export const sourcesLate = sourcesMoved(1)

/** Log-probs read one token early. */
export const sourcesEarly = sourcesMoved(-1)

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

/** Ends one token early: the last token of a sequence is taken for padding, where one is before it. */
export const endsEarly: BatchChange = (batch) => {
  const { segments, prompts } = batch
  const changed = { tokens: batch.tokens.slice(), segments: segments.slice(), prompts: prompts.slice() }
  const ends = batch.ends.map((end, n) => {
    const before = end - 1
    const seen = segments[before] === segments[end] || segments[before] === prompts[end]
    if (!batch.sequenceMask[n] || columnOf(batch, end) === 0 || !seen) return end
    // A prompt that ends a sequence with no more than one token is read as it stands.
    ;[changed.tokens[end], changed.segments[end], changed.prompts[end]] = [0, -1, -1]
    return before
  })
  return { ...batch, ...changed, ends }
}

/** Ends one token late, at the padding behind the last token, where there is some. */
export const endsAtPadding: BatchChange = (batch) => {
  const positions = batch.positions.slice()
  const segments = batch.segments.slice()
  const prompts = batch.prompts.slice()
  const ends = batch.ends.map((end, n) => {
    const next = end + 1
    if (!batch.sequenceMask[n] || columnOf(batch, end) === batch.width - 1 || segments[next] >= 0) return end
    ;[positions[next], segments[next], prompts[next]] = [positions[end] + 1, segments[end], prompts[end]]
    return next
  })
  return { ...batch, positions, segments, prompts, ends }
}

/** The pairing slips by one sequence: a chosen answer meets the rejected one of the next pair. */
export const pairsSlipped: BatchChange = (batch) => {
  const count = batch.sequenceCount
  const slipped = (n: number): number => (n + 1) % count
  const ends = batch.ends.map((_, n) => batch.ends[(n + count - 1) % count])
  return { ...batch, sequences: batch.sequences.map(slipped), ends }
}
