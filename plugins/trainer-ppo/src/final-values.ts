import { CollimateError } from '@collimate/core'
import type { Model, Rollout } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { rolloutExamples } from '@collimate/rollouts'
import type { BatchOptions } from '@collimate/rollouts'

/**
 * [n] the critic's value of the state that a completion was cut in; 0 for one that ended by itself, after which nothing
 * comes.
 *
 * @throws CollimateError COLLIMATE_NOT_FINITE
 */
export async function finalValues(
  critic: Pick<Model, 'outputs'>,
  rollouts: readonly Rollout[],
  { groupSize, microBatchSize }: BatchOptions,
): Promise<Float64Array> {
  const found = new Float64Array(rollouts.length)
  const { batches, order } = microBatches(rolloutExamples(rollouts, groupSize), { microBatchSize })
  for (const [number, batch] of batches.entries()) {
    const { scores } = await critic.outputs({ batch, names: ['scores'] })
    order[number].forEach((position, at) => {
      for (let k = 0; k < groupSize; k++) {
        const rollout = position * groupSize + k
        if (rollouts[rollout].endedBy === 'length') found[rollout] = scores?.[at * groupSize + k] ?? NaN
      }
    })
  }
  const wrong = found.find((value) => !Number.isFinite(value))
  if (wrong === undefined) return found
  throw new CollimateError('COLLIMATE_NOT_FINITE', `the critic values the end of a completion ${wrong}`, {
    hint: 'its weights have diverged: lower criticLearningRate',
  })
}
