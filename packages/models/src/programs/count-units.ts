import type { ForestBatch, LossTerm } from '@collimate/core'

/** A loss term without its expression. */
export type TermDescription = Required<Pick<LossTerm<unknown>, 'unit' | 'weight'>> & Pick<LossTerm<unknown>, 'select'>

/** Real units of a batch that a loss term counts. */
export function countUnits(batch: ForestBatch, term: TermDescription): number {
  const { tokenMask, sequenceMask } = batch
  const select = term.select === undefined ? undefined : batch.inputs[term.select]
  const isReal = (i: number): boolean => {
    if (term.unit === 'tokens') return tokenMask[i] > 0.5
    if (term.unit === 'sequences') return sequenceMask[i] > 0.5
    return sequenceMask[2 * i] > 0.5 && sequenceMask[2 * i + 1] > 0.5
  }
  const size = term.unit === 'tokens' ? tokenMask.length : sequenceMask.length / (term.unit === 'pairs' ? 2 : 1)
  let count = 0
  for (let i = 0; i < size; i++) if (isReal(i) && (!select || select[i] > 0.5)) count++
  return count
}

/**
 * Feeds `scale.0`, `scale.1`, ...: one over the count of each term's units in all micro-batches; 0 where there are none.
 * With `lossScale` times that, which multiplies the gradients and nothing that is reported.
 */
export function termScales(
  terms: readonly TermDescription[],
  batches: readonly ForestBatch[],
  lossScale = 1,
): Record<string, Float64Array> {
  return Object.fromEntries(
    terms.map((term, i) => {
      const count = batches.reduce((total, batch) => total + countUnits(batch, term), 0)
      return [`scale.${i}`, Float64Array.of(count > 0 ? lossScale / count : 0)]
    }),
  )
}
