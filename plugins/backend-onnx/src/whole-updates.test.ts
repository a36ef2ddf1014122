import type { DType, Shape, TensorData } from '@collimate/core'
import { add, input, interpret, mul, not, type Program, program, sizeOf } from '@collimate/graph'
import { describe, expect, test } from 'vitest'
import { compileProgram } from './compile.js'
import { devices } from './providers.js'
import { wholeUpdates } from './whole-updates.js'

const start = input('start', [], 'int')
const always = () => true

/** Reads a cache, and writes as many rows at `start` along an axis. */
function appending(dtype: DType, shape: Shape, axis: number, rows: number): Program {
  const cache = input('cache', shape, dtype, 'state')
  const fresh = input('fresh', along(shape, axis, rows), dtype)
  const value = dtype === 'bool' ? not(fresh) : mul(fresh, 2)
  return program({ name: 'append', outputs: { cache }, updates: [{ state: cache, value, at: { axis, start } }] })
}

const along = (shape: Shape, axis: number, rows: number): Shape => shape.map((size, d) => (d === axis ? rows : size))

const countingFrom = (first: number, dtype: DType, shape: Shape): TensorData => {
  const numbers = Array.from({ length: sizeOf(shape) }, (_, i) => first + i)
  return dtype === 'float' ? Float64Array.from(numbers) : Int32Array.from(numbers)
}

const shapes = [[5], [4, 3], [2, 5, 3], [2, 3, 6, 2]]
const buffers = (['float', 'int'] as const).flatMap((dtype) =>
  shapes.flatMap((shape) => shape.map((capacity, axis) => ({ dtype, shape, axis, capacity }))),
)

describe('rows are written and old values read as before', () => {
  test.each(buffers)('$dtype $shape along axis $axis', ({ dtype, shape, axis, capacity }) => {
    for (const rows of new Set([0, 1, 2, capacity - 1, capacity])) {
      const original = appending(dtype, shape, axis, rows)
      const rewritten = wholeUpdates(original, always)
      expect(rewritten.updates.map(({ state, at }) => ({ state, at }))).toEqual([{ state: 'cache', at: undefined }])
      for (const from of new Set([0, (capacity - rows) >> 1, capacity - rows])) {
        const [given, wanted] = [rewritten, original].map((one) => {
          const feeds = { fresh: countingFrom(1, dtype, along(shape, axis, rows)), start: Int32Array.of(from) }
          const needed = Object.entries(feeds).filter(([feed]) => one.inputs.some(({ name }) => name === feed))
          const states = { cache: { dtype, shape, data: countingFrom(-99, dtype, shape) } }
          return { ...interpret(one, { feeds: Object.fromEntries(needed), states }), states }
        })
        expect(given, `${rows} rows at ${from}`).toEqual(wanted)
      }
    }
  })
})

test('what updates at one place have in common is computed once', () => {
  const capacity = 5000
  const [k, v] = ['k', 'v'].map((name) => ({
    state: input(name, [capacity, 2], 'float', 'state'),
    value: input(`new ${name}`, [3, 2]),
    at: { axis: 0, start },
  }))
  if (!k || !v) throw new Error('two updates')
  const nodes = (updates: (typeof k)[]) => wholeUpdates(program({ name: 'p', updates }), always).nodes.length
  // Each buffer takes a gather and a choice of its own.
  expect(nodes([k, v])).toBe(nodes([k]) + 2)
})

test('updates that stay in part, and programs without any, are as they were', () => {
  const [n, w] = [input('n', [4], 'int', 'state'), input('w', [4], 'float', 'state')]
  const both = program({
    name: 'both',
    updates: [
      { state: n, value: input('x', [1], 'int'), at: { axis: 0, start } },
      { state: w, value: input('y', [1]), at: { axis: 0, start } },
    ],
  })
  expect(wholeUpdates(both, ({ dtype }) => dtype === 'float').updates.map(({ at }) => at)).toEqual([
    { axis: 0, start: 'start' },
    undefined,
  ])
  expect(wholeUpdates(both, () => false)).toBe(both)
  const plain = program({ name: 'plain', updates: [{ state: w, value: add(w, 1) }] })
  expect(wholeUpdates(plain, always)).toBe(plain)
})

describe('a compiled program', () => {
  const compiled = (dtype: DType, device: (typeof devices)[number]) =>
    compileProgram(appending(dtype, [2, 3, 4], 1, 1), new Map(), () => new Map(), device)
  const states = ({ inputs, updates }: ReturnType<typeof compiled>) => [
    ...inputs.filter(({ role }) => role === 'state'),
    ...updates,
  ]

  test.each(['float', 'int'] as const)('on webgpu a %s state whose rows are written stays there', (dtype) => {
    const found = states(compiled(dtype, 'webgpu'))
    expect(found).toHaveLength(2)
    for (const one of found) expect(one).toMatchObject({ resident: true })
    for (const one of found) expect(one).not.toHaveProperty('at')
  })

  test.each([
    ...devices.filter((device) => device !== 'webgpu').map((device) => ['float', device] as const),
    ['bool', 'webgpu'] as const,
  ])('a %s state on %s takes rows in the memory of the host', (dtype, device) => {
    const found = compiled(dtype, device)
    for (const one of states(found)) expect(one).not.toHaveProperty('resident')
    expect(found.updates).toMatchObject([{ at: { axis: 1, start: 'start', shape: [2, 1, 4] } }])
  })
})
