import { CollimateError } from '@collimate/core'
import type { Example, Model } from '@collimate/core'
import { stepBatches, stepEndsOf } from '@collimate/data'

/** What a process reward model says of a step, and whether it is right (1) or wrong (0). */
export interface ScoredStep {
  readonly value: number
  readonly label: number
}

/** The labels of the steps of an example, one behind the other. */
export const stepLabels = ({ labels = [] }: Example): number[] =>
  labels.flatMap((own) => Array.from(stepEndsOf(own), (end) => own[end]))

/**
 * What a model says of the steps of each row, in the order of the rows.
 *
 * @throws CollimateError COLLIMATE_NOT_FINITE naming the row
 */
export async function scoreSteps(
  model: Pick<Model, 'outputs'>,
  rows: readonly Example[],
  microBatchSize: number,
): Promise<readonly (readonly ScoredStep[])[]> {
  const scored: ScoredStep[][] = []
  const { batches, order } = stepBatches(rows, { microBatchSize })
  for (const [number, batch] of batches.entries()) {
    const { values = [] } = await model.outputs({ batch, names: ['values'] })
    let step = 0
    for (const position of order[number])
      scored[position] = stepLabels(rows[position]).map((label) => {
        const value = values[step++]
        if (Number.isFinite(value)) return { value, label }
        throw new CollimateError('COLLIMATE_NOT_FINITE', `row ${rows[position].index}: a step scores ${value}`, {
          hint: 'the model has diverged: lower the learning rate',
        })
      })
  }
  return scored
}
