import type { ForestBatch, TensorData } from '@collimate/core'

/** The arrays of a batch under the names that programs have for them; the objective's inputs are `inputs.NAME`. */
export function batchFeeds(batch: ForestBatch): Record<string, TensorData> {
  const { tokens, positions, segments, prompts, sources, targets, sequences, tokenMask, sequenceMask, ends } = batch
  const inputs = Object.entries(batch.inputs).map(([name, values]) => [`inputs.${name}`, values] as const)
  return {
    ...Object.fromEntries(inputs),
    ...{ tokens, positions, segments, prompts, sources, targets, sequences, tokenMask, sequenceMask, ends },
  }
}
