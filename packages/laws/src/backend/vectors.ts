import type { Backend, HostTensor, StateId } from '@collimate/core'
import { add, input, mul, type Program, program, sum, type Tensor } from '@collimate/graph'
import fc, { type Arbitrary } from 'fast-check'

/** Whole numbers that every precision holds exactly, so that laws of states need no tolerance. */
export const whole: Arbitrary<number> = fc.integer({ min: -9, max: 9 })

/** Lists of `count` vectors of one length. */
export const vectors = (count: number): Arbitrary<number[][]> =>
  fc
    .integer({ min: 1, max: 5 })
    .chain((length) =>
      fc.array(fc.array(whole, { minLength: length, maxLength: length }), { minLength: count, maxLength: count }),
    )

export const hostVector = (values: readonly number[]): HostTensor => ({
  dtype: 'float',
  shape: [values.length],
  data: Float32Array.from(values),
})

/** The feed `x` and the states `w` and `v`, vectors of one length. */
export function leaves(length: number): { x: Tensor; w: Tensor; v: Tensor } {
  return {
    x: input('x', [length]),
    w: input('w', [length], 'float', 'state'),
    v: input('v', [length], 'float', 'state'),
  }
}

/** `y = Σ x · w`, then `w := w + x`. */
export function accumulate(length: number): Program {
  const { x, w } = leaves(length)
  return program({ name: 'accumulate', outputs: { y: sum(mul(x, w)) }, updates: [{ state: w, value: add(w, x) }] })
}

/** `y = w`: shows what a state holds. */
export function show(length: number): Program {
  return program({ name: 'show', outputs: { y: leaves(length).w }, simplify: false })
}

/** What a buffer of a set holds. */
export async function held(backend: Backend, state: StateId, name = 'w'): Promise<number[]> {
  return Array.from((await backend.read({ state, names: [name] }))[name]?.data ?? [])
}

/** Runs with ids that are released at the end, so that a law leaves nothing behind. */
export async function releasing<T>(
  backend: Backend,
  work: (keep: <Id extends string>(id: Id) => Id) => Promise<T>,
): Promise<T> {
  const ids: string[] = []
  try {
    return await work((id) => {
      ids.push(id)
      return id
    })
  } finally {
    for (const id of ids) await backend.release({ id })
  }
}

export const shownVectors = (names: readonly string[]) => (values: readonly (readonly number[])[]) =>
  values.map((value, i) => `${names[i] ?? `x${i}`} = [${value.join(', ')}]`).join(', ')
