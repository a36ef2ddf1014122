import { CollimateError } from '@collimate/core'
import type { Backend, HostTensor, ModelSnapshot } from '@collimate/core'
import { firstMomentName, secondMomentName } from '@collimate/models'
import { isLossScaleState } from './loss-scale.js'
import type { WeightStore } from './weights.js'

/** Copies weights, and moments where there are any, out of the backend. */
export async function takeSnapshot(
  backend: Backend,
  weights: WeightStore,
  counters: Omit<ModelSnapshot, 'tensors'>,
): Promise<ModelSnapshot> {
  const names = weights.hasTrainingState() ? [...weights.names, ...momentNames(weights.names)] : weights.names
  return { ...counters, tensors: await backend.read({ state: weights.state(), names }) }
}

/**
 * Puts a snapshot back; moments that it lacks become 0. One that does not fit the model is refused and changes nothing
 * (COLLIMATE_SNAPSHOT_INVALID).
 */
export async function restoreSnapshot(backend: Backend, weights: WeightStore, snapshot: ModelSnapshot): Promise<void> {
  const { shapes } = weights
  const moments = momentNames(weights.names)
  const withMoments = moments.some((name) => name in snapshot.tensors)
  const expected = withMoments ? [...weights.names, ...moments] : weights.names
  checkSnapshot(snapshot, expected, shapes)

  if (withMoments) await weights.trainingState()
  else await weights.detach()
  const tensors = { ...snapshot.tensors }
  if (!withMoments && weights.hasTrainingState())
    for (const name of moments) tensors[name] = zeros(shapes[parameterOf(name)])
  await backend.write({ state: weights.state(), tensors })
  weights.changed()
}

function checkSnapshot(
  { version, optimizerSteps, lossScale, tensors }: ModelSnapshot,
  expected: readonly string[],
  shapes: Readonly<Record<string, readonly number[]>>,
): void {
  for (const [field, count] of Object.entries({ version, optimizerSteps }))
    if (!Number.isSafeInteger(count) || count < 0) throw invalid(`${field} is ${count}, not a count`)
  if (lossScale && !isLossScaleState(lossScale))
    throw invalid(`lossScale is ${JSON.stringify(lossScale)}, expected a power of two and a count of steps`)
  for (const name of expected) {
    const tensor = tensors[name]
    const shape = shapes[parameterOf(name)]
    if (tensor === undefined) throw invalid(`tensor ${name} is missing`)
    if (tensor.dtype !== 'float' || tensor.shape.join() !== shape.join())
      throw invalid(
        `tensor ${name} is ${tensor.dtype} [${tensor.shape.join(', ')}], expected float [${shape.join(', ')}]`,
      )
  }
  const unknown = Object.keys(tensors).find((name) => !expected.includes(name))
  if (unknown !== undefined) throw invalid(`tensor ${unknown} is none of the model's`)
}

const momentNames = (names: readonly string[]) => [...names.map(firstMomentName), ...names.map(secondMomentName)]

const parameterOf = (name: string) => name.replace(/^adam\.[mv]\./, '')

function zeros(shape: readonly number[]): HostTensor {
  return { dtype: 'float', shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) }
}

function invalid(problem: string): CollimateError {
  return new CollimateError('COLLIMATE_SNAPSHOT_INVALID', `snapshot: ${problem}`, {
    hint: 'Restore a snapshot into the model that it was taken of.',
  })
}
