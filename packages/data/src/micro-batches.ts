import { CollimateError } from '@collimate/core'
import type { Example, ForestBatch } from '@collimate/core'
import { forestBatch } from './forest.js'
import type { ForestOptions } from './forest.js'

export interface MicroBatchOptions extends ForestOptions {
  /** Examples in a micro-batch; the last may have fewer. */
  readonly microBatchSize: number
  /** Put examples of similar length together, so that little is padded. Default true; the sum of gradients is the same. */
  readonly sortByLength?: boolean
}

export interface MicroBatches {
  readonly batches: readonly ForestBatch[]
  /** For each micro-batch, the positions of its examples in the list that was given. An example is never divided. */
  readonly order: readonly (readonly number[])[]
}

/** Splits the examples of one optimiser step into micro-batches. */
export function microBatches(examples: readonly Example[], options: MicroBatchOptions): MicroBatches {
  const { microBatchSize, sortByLength = true, inputs = {}, ...forest } = options
  if (!Number.isInteger(microBatchSize) || microBatchSize < 1) {
    throw new CollimateError(
      'COLLIMATE_OPTION_INVALID',
      `microBatchSize: ${microBatchSize} is not a positive whole number`,
      {
        hint: 'give the number of examples that fit into memory together',
      },
    )
  }
  const positions = examples.map((_, position) => position)
  if (sortByLength) {
    const lengths = examples.map(({ prompt, completions }) =>
      completions.reduce((sum, ids) => sum + ids.length, prompt.length),
    )
    positions.sort((a, b) => lengths[b] - lengths[a] || a - b)
  }
  const order: number[][] = []
  for (let start = 0; start < positions.length; start += microBatchSize)
    order.push(positions.slice(start, start + microBatchSize))
  const batches = order.map((inside) =>
    forestBatch(
      inside.map((position) => examples[position]),
      {
        ...forest,
        inputs: Object.fromEntries(
          Object.entries(inputs).map(([name, input]) => [
            name,
            { unit: input.unit, values: (example: Example, at: number) => input.values(example, inside[at]) },
          ]),
        ),
      },
    ),
  )
  return { batches, order }
}
