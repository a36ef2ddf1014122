import { CollimateError } from '@collimate/core'
import type { ForestBatch, Objective, Unit } from '@collimate/core'

/** What tokens and positions are checked against. */
export interface ModelSize {
  readonly vocabularySize: number
  readonly contextLength: number
}

/**
 * Refuses a batch whose arrays do not fit each other or the model (COLLIMATE_BATCH_INVALID): an index out of range would
 * read another token's numbers on one backend and end the run on another.
 */
export function checkBatch(batch: ForestBatch, model: ModelSize): void {
  const slots = batch.rows * batch.width
  const scored = batch.sources.length
  const sizes: readonly (readonly [string, ArrayLike<number>, number])[] = [
    ['tokens', batch.tokens, slots],
    ['positions', batch.positions, slots],
    ['segments', batch.segments, slots],
    ['prompts', batch.prompts, slots],
    ['targets', batch.targets, scored],
    ['sequences', batch.sequences, scored],
    ['tokenMask', batch.tokenMask, scored],
    ['sequenceMask', batch.sequenceMask, batch.sequenceCount],
    ['ends', batch.ends, batch.sequenceCount],
  ]
  for (const [field, values, size] of sizes)
    if (values.length !== size) throw invalid(`${field} has ${values.length} values, expected ${size}`)
  if (slots === 0 || scored === 0 || batch.sequenceCount === 0)
    throw invalid(
      `it is empty (${batch.rows} rows of ${batch.width}, ${scored} scored tokens, ${batch.sequenceCount} sequences)`,
    )

  const ranges: readonly (readonly [string, ArrayLike<number>, number])[] = [
    ['tokens', batch.tokens, model.vocabularySize],
    ['targets', batch.targets, model.vocabularySize],
    ['positions', batch.positions, Math.min(batch.width, model.contextLength)],
    ['sources', batch.sources, slots],
    ['sequences', batch.sequences, batch.sequenceCount],
    ['ends', batch.ends, slots],
  ]
  for (const [field, values, end] of ranges)
    for (let index = 0; index < values.length; index++)
      if (!(values[index] >= 0 && values[index] < end))
        throw invalid(
          `${field}[${index}] is ${values[index]}, expected 0 to ${end - 1}`,
          field === 'positions' ? 'Truncate sequences to the context length of the model.' : undefined,
        )
  checkEnds(batch)
}

/**
 * The end of a sequence is the last token of its segment, and its scored tokens stand before it: each is read in the segment
 * of the end or in that of its prompt. A sequence without any token ends at 0.
 */
function checkEnds(batch: ForestBatch): void {
  const { ends, sources, sequences, tokenMask, sequenceMask, segments, prompts, width } = batch
  const rowOf = (at: number): number => Math.floor(at / width)
  ends.forEach((end, sequence) => {
    if (sequenceMask[sequence] <= 0.5) return
    if (segments[end] < 0 && end !== 0) throw invalid(`ends[${sequence}] is ${end}, where there is padding`)
    for (let later = end + 1; later < (rowOf(end) + 1) * width; later++)
      if (segments[end] >= 0 && segments[later] === segments[end])
        throw invalid(`ends[${sequence}] is ${end}, and token ${later} of the same segment comes later`)
  })
  sources.forEach((source, token) => {
    if (tokenMask[token] <= 0.5) return
    const end = ends[sequences[token]]
    const seen = segments[source] === segments[end] || segments[source] === prompts[end]
    if (seen && segments[end] >= 0 && source <= end && rowOf(source) === rowOf(end)) return
    throw invalid(
      `ends[${sequences[token]}] is ${end}, which does not come after scored token ${token} of that sequence, read at ${source}`,
    )
  })
}

/**
 * Refuses a batch that lacks an input of the objective or has it in another size (COLLIMATE_BATCH_INVALID), or not finite for
 * a unit that is not padding (COLLIMATE_NOT_FINITE).
 */
export function checkObjectiveInputs(batch: ForestBatch, objective: Objective): void {
  for (const [name, unit] of Object.entries(objective.inputs)) {
    const values = batch.inputs[name]
    if (values === undefined)
      throw invalid(`input ${name} is missing, which objective ${objective.name} needs for its ${unit}`)
    const real = realUnits(batch, unit)
    if (values.length !== real.length)
      throw invalid(
        `input ${name} of objective ${objective.name} has ${values.length} values, expected ${real.length} (${unit})`,
      )
    const bad = values.findIndex((value, index) => !Number.isFinite(value) && real[index] > 0.5)
    if (bad >= 0)
      throw new CollimateError(
        'COLLIMATE_NOT_FINITE',
        `input ${name}[${bad}] of objective ${objective.name} is ${values[bad]}`,
      )
  }
}

/** 1 for each unit that counts, 0 for padding. */
function realUnits(batch: ForestBatch, unit: Unit): Float32Array {
  if (unit === 'tokens') return batch.tokenMask
  if (unit === 'sequences') return batch.sequenceMask
  return Float32Array.from({ length: Math.floor(batch.sequenceCount / 2) }, (_, pair) =>
    Math.min(batch.sequenceMask[2 * pair], batch.sequenceMask[2 * pair + 1]),
  )
}

function invalid(message: string, hint?: string): CollimateError {
  return new CollimateError('COLLIMATE_BATCH_INVALID', `batch: ${message}`, hint === undefined ? {} : { hint })
}
