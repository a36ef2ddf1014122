import type { Backend, BackendCapabilities, HostTensor, TensorData } from '@collimate/core'
import { type Program, program, type Tensor } from '@collimate/graph'
import { Violation } from '../law.js'

/** What every law of backends is given. */
export interface BackendSubject {
  /** The backend that the suite shares. */
  get(): Promise<Backend>
  /** One of the law's own; the law closes it. */
  fresh(): Promise<Backend>
  /** Largest error of a value, relative to the largest magnitude of its tensor (at least 1). */
  readonly tolerance: number
  /** The same where a matrix product is part of it. */
  readonly productTolerance: number
}

/** Values as a backend of this precision sees them, so that rounding the inputs is no difference. */
export function asSeen(
  values: Readonly<Record<string, TensorData>>,
  { precision }: Pick<BackendCapabilities, 'precision'>,
): Record<string, TensorData> {
  if (precision === 'float64') return { ...values }
  return Object.fromEntries(
    Object.entries(values).map(([name, data]) => [name, data instanceof Float64Array ? Float32Array.from(data) : data]),
  )
}

/** Compiles, runs once and releases. */
export async function runOnce(
  backend: Backend,
  compiled: Program,
  values: Readonly<Record<string, TensorData>>,
): Promise<Record<string, TensorData>> {
  const feeds = Object.fromEntries(compiled.inputs.map(({ name }) => [name, values[name]]))
  const executable = await backend.compile({ program: compiled })
  try {
    return await backend.run({ executable, feeds })
  } finally {
    await backend.release({ id: executable })
  }
}

/** The values of expressions on the backend, as they stand: nothing is simplified before. */
export async function valuesOn(
  backend: Backend,
  outputs: Readonly<Record<string, Tensor>>,
  values: Readonly<Record<string, TensorData>>,
): Promise<Record<string, TensorData>> {
  return runOnce(backend, program({ name: 'law', outputs, simplify: false }), values)
}

const kinds = {
  float: [Float32Array, Float64Array],
  int: [Int32Array],
  bool: [Uint8Array],
} as const

/** Throws unless an output has the dtype, the size and the values of the expected tensor. */
export function sameTensor(
  what: string,
  actual: TensorData | undefined,
  expected: Pick<HostTensor, 'dtype' | 'data'>,
  tolerance: number,
): void {
  if (actual === undefined) throw new Violation(`${what} is missing from the outputs`)
  if (!kinds[expected.dtype].some((kind) => actual instanceof kind)) {
    throw new Violation(`${what} comes as ${actual.constructor.name}, which is not how ${expected.dtype} values come`)
  }
  if (actual.length !== expected.data.length) {
    throw new Violation(`${what} has ${actual.length} values, the law says ${expected.data.length}`)
  }
  let size = 1
  for (const value of expected.data) size = Math.max(size, finite(value))
  const allowed = expected.dtype === 'float' ? tolerance * size : 0
  expected.data.forEach((value: number, i: number) => {
    if (Object.is(actual[i], value) || Math.abs(actual[i] - value) <= allowed) return
    const error = Math.abs(actual[i] - value).toExponential(2)
    throw new Violation(`${what}: element ${i} is ${actual[i]}, the law says ${value} (off by ${error})`)
  })
}

const finite = (value: number): number => (Number.isFinite(value) ? Math.abs(value) : 0)

/** Throws unless two lists hold the same numbers. */
export function sameNumbers(what: string, actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): void {
  const [found, wanted] = [[...Array.from(actual ?? [])], [...Array.from(expected)]]
  if (found.length === wanted.length && found.every((value, i) => value === wanted[i])) return
  throw new Violation(`${what}: [${found.join(', ')}], the law says [${wanted.join(', ')}]`)
}
