import { normal, stream, type HostTensor } from '@collimate/core'
import type { ModelConfig, Parameter } from '../architectures/architecture.js'
import { scalarHead } from '../architectures/model-head.js'

/** The stream of the scalar head's numbers: beyond the number of any trunk's parameters, so that it does not depend on it. */
const scalarHeadStream = 2 ** 24

/** A new weight; `index` tells it from the other weights of the same seed. */
export function initialise({ shape, init }: Parameter, seed: number, index: number): HostTensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
  const numbers = stream('initialisation', index)
  if ('fill' in init) data.fill(init.fill)
  else for (let i = 0; i < data.length; i++) data[i] = init.normal * normal(seed, numbers, i)
  return { dtype: 'float', shape, data }
}

/** A new scalar head. */
export const newScalarHead = ({ hidden }: Pick<ModelConfig, 'hidden'>, seed: number): HostTensor =>
  initialise(scalarHead(hidden), seed, scalarHeadStream)
