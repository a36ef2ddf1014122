import type { Backend, HostTensor, TensorData } from '@collimate/core'
import { evaluate, type OpName, opNames } from '@collimate/graph'
import { seeded } from './draws.js'
import { derivativeCase, hasDerivative, type OpCase, valueCase } from './op-cases.js'
import { valuesOn } from './subject.js'

/** How far a backend is from the float64 interpreter in one op, over all cases that were tried. */
export interface OpErrors {
  readonly op: OpName
  /** Largest error of a value, relative to the largest magnitude of its tensor (at least 1), as the laws measure it. */
  readonly value: number
  /** The same of derivatives; absent where the op has none. */
  readonly derivative?: number
}

export interface OpErrorsOptions {
  /** Random applications of each op. */
  readonly cases: number
  readonly seed?: number
  readonly ops?: readonly OpName[]
}

/** The largest errors of each op on a backend, in cases that depend on the seed alone. */
export async function errorsOfOps(
  backend: Backend,
  { cases, seed = 1, ops = opNames }: OpErrorsOptions,
): Promise<OpErrors[]> {
  const precision = await backend.capabilities()
  const errors: OpErrors[] = []
  for (const op of ops) {
    let value = 0
    let derivative = 0
    for (let i = 0; i < cases; i++) {
      const random = () => seeded(seed + i)
      value = Math.max(value, await errorOf(backend, valueCase(op, random(), precision)))
      if (!hasDerivative(op)) continue
      const differentiated = derivativeCase(op, random(), seed + i + 1, precision)
      if (differentiated) derivative = Math.max(derivative, await errorOf(backend, differentiated))
    }
    errors.push({ op, value, ...(hasDerivative(op) && { derivative }) })
  }
  return errors
}

async function errorOf(backend: Backend, { outputs, values }: OpCase): Promise<number> {
  const actual = await valuesOn(backend, outputs, values)
  const errors = Object.entries(outputs).map(([name, tensor]) => relativeError(actual[name], evaluate(tensor, values)))
  return Math.max(...errors)
}

/** max |actual − expected| / max(1, |expected|∞); infinite where one of them is no number and the other is. */
export function relativeError(actual: TensorData | undefined, expected: Pick<HostTensor, 'data'>): number {
  if (actual?.length !== expected.data.length) return Infinity
  let size = 1
  for (const value of expected.data) if (Number.isFinite(value)) size = Math.max(size, Math.abs(value))
  let largest = 0
  expected.data.forEach((value: number, i: number) => {
    if (Object.is(actual[i], value)) return
    const error = Math.abs(actual[i] - value)
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error / size)
  })
  return largest
}
