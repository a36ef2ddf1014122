import type { Backend } from '@collimate/core'
import { add, constant, gather, input, mul, type Program, program, sum } from '@collimate/graph'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createInterpreterBackend, interpreter } from './index.js'

let backend: Backend
beforeEach(() => {
  backend = createInterpreterBackend()
})
afterEach(() => backend.close())

const vector = (...values: number[]) => ({
  dtype: 'float' as const,
  shape: [values.length],
  data: Float64Array.from(values),
})
const x = input('x', [3])
const w = input('w', [3], 'float', 'state')
const v = input('v', [3], 'float', 'state')

/** Adds the feed to the state and returns the sum of the product. */
const accumulate = program({
  name: 'accumulate',
  outputs: { y: sum(mul(x, w)) },
  updates: [{ state: w, value: add(w, x) }],
})

describe('interpreter backend', () => {
  test('is a plugin that can be read without being created', () => {
    expect(interpreter.definition).toMatchObject({ name: 'interpreter', kind: 'backend' })
    expect(interpreter.definition.options.safeParse({ device: 'cpu' }).success).toBe(false)
  })

  test('updates states in place and returns outputs computed before the update', async () => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    const executable = await backend.compile({ program: accumulate })
    const feeds = { x: Float32Array.of(1, 1, 1) }
    expect([...(await backend.run({ executable, feeds, states: [state] })).y]).toEqual([6])
    expect([...(await backend.run({ executable, feeds, states: [state] })).y]).toEqual([9])
    expect([...(await backend.read({ state })).w.data]).toEqual([3, 4, 5])
  })

  test('runs calls in the order in which they are made, without awaiting between them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 })),
        async (steps) => {
          const state = await backend.state({ tensors: { w: { dtype: 'float', shape: [3], fill: 2 } } })
          const executable = await backend.compile({ program: accumulate })
          const runs = steps.map((step) =>
            backend.run({ executable, feeds: { x: Float64Array.from(step) }, states: [state] }),
          )
          const last = backend.read({ state })
          await Promise.all(runs)
          const expected = [0, 1, 2].map((i) => steps.reduce((total, step) => total + step[i], 2))
          expect([...(await last).w.data]).toEqual(expected)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('swaps two states in one program', async () => {
    const swap = program({
      name: 'swap',
      updates: [
        { state: w, value: v },
        { state: v, value: w },
      ],
      outputs: {},
    })
    const state = await backend.state({ tensors: { w: vector(1, 2, 3), v: vector(4, 5, 6) } })
    await backend.run({ executable: await backend.compile({ program: swap }), feeds: {}, states: [state] })
    const { w: first, v: second } = await backend.read({ state })
    expect([[...first.data], [...second.data]]).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ])
  })

  test('writes rows at a fed position and refuses rows beyond the buffer', async () => {
    const cache = input('cache', [2, 4, 2], 'float', 'state')
    const rows = input('rows', [2, 1, 2])
    const start = input('start', [], 'int')
    const append = program({
      name: 'append',
      outputs: {},
      updates: [{ state: cache, value: rows, at: { axis: 1, start } }],
    })
    const state = await backend.state({ tensors: { cache: { dtype: 'float', shape: [2, 4, 2] } } })
    const executable = await backend.compile({ program: append })
    const feeds = { rows: Float32Array.of(1, 2, 3, 4), start: Int32Array.of(2) }
    await backend.run({ executable, feeds, states: [state] })
    expect([...(await backend.read({ state })).cache.data]).toEqual([0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0])
    for (const outside of [4, -1]) {
      const run = backend.run({ executable, feeds: { ...feeds, start: Int32Array.of(outside) }, states: [state] })
      await expect(run).rejects.toMatchObject({ code: 'COLLIMATE_UPDATE_OUT_OF_RANGE' })
    }
  })

  test('the first set that has a name wins', async () => {
    const first = await backend.state({ tensors: { w: vector(1, 1, 1) } })
    const second = await backend.state({ tensors: { w: vector(9, 9, 9), v: vector(0, 0, 0) } })
    const both = program({ name: 'both', outputs: { y: sum(add(w, v)) } })
    const executable = await backend.compile({ program: both })
    expect([...(await backend.run({ executable, feeds: {}, states: [first, second] })).y]).toEqual([3])
    expect([...(await backend.run({ executable, feeds: {}, states: [second, first] })).y]).toEqual([27])
  })

  test('frozen states are constants of the executable', async () => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    const dot = program({ name: 'dot', outputs: { y: sum(mul(x, w)) } })
    const executable = await backend.compile({ program: dot, frozen: [state] })
    await backend.write({ state, tensors: { w: vector(0, 0, 0) } })
    expect([...(await backend.run({ executable, feeds: { x: Float64Array.of(1, 1, 1) } })).y]).toEqual([6])
    const update = backend.compile({ program: accumulate, frozen: [state] })
    await expect(update).rejects.toMatchObject({ code: 'COLLIMATE_PROGRAM_INVALID' })
  })

  test('shares no memory with the caller', async () => {
    const echo = program({ name: 'echo', outputs: { x, w, again: w } })
    const initial = vector(1, 2, 3)
    const state = await backend.state({ tensors: { w: initial } })
    initial.data.fill(0)
    const executable = await backend.compile({ program: echo })
    const feed = Float64Array.of(4, 5, 6)
    const outputs = await backend.run({ executable, feeds: { x: feed }, states: [state] })
    outputs.w.fill(0)
    outputs.x.fill(0)
    ;(await backend.read({ state })).w.data.fill(0)
    expect([...outputs.again]).toEqual([1, 2, 3])
    expect([...feed]).toEqual([4, 5, 6])
    expect([...(await backend.read({ state })).w.data]).toEqual([1, 2, 3])
  })

  test('copies sets, whole or in part', async () => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3), v: vector(4, 5, 6) } })
    const copy = await backend.copy({ state, names: ['v'] })
    await backend.write({ state, tensors: { v: vector(0, 0, 0) } })
    expect(await backend.read({ state: copy })).toEqual({ v: vector(4, 5, 6) })
  })

  test('usage counts what is alive', async () => {
    expect(await backend.usage()).toEqual({ executables: 0, states: 0, bytes: 0 })
    const state = await backend.state({ tensors: { w: vector(1, 2, 3), n: { dtype: 'int', shape: [2], fill: 7 } } })
    const copy = await backend.copy({ state })
    const executable = await backend.compile({ program: accumulate })
    expect(await backend.usage()).toEqual({ executables: 1, states: 2, bytes: 64 })
    for (const id of [executable, copy, copy]) await backend.release({ id })
    expect(await backend.usage()).toEqual({ executables: 0, states: 1, bytes: 32 })
  })

  test('nothing runs after close, and closing twice is harmless', async () => {
    const executable = await backend.compile({ program: accumulate })
    await backend.close()
    await backend.close()
    await expect(backend.run({ executable, feeds: {} })).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_CLOSED' })
    await expect(backend.state({ tensors: {} })).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_CLOSED' })
  })
})

describe('a refused run has a code and leaves the states as they were', () => {
  const good = { x: Float64Array.of(1, 1, 1) }
  const bad: [string, string, Record<string, Float64Array | Int32Array>][] = [
    ['unknown feed', 'COLLIMATE_FEED_UNKNOWN', { ...good, z: Float64Array.of(1) }],
    ['missing feed', 'COLLIMATE_FEED_MISSING', {}],
    ['feed of the wrong size', 'COLLIMATE_TENSOR_INVALID', { x: Float64Array.of(1, 1) }],
    ['feed of the wrong kind', 'COLLIMATE_TENSOR_INVALID', { x: Int32Array.of(1, 1, 1) }],
    ['a state given as feed', 'COLLIMATE_FEED_UNKNOWN', { ...good, w: Float64Array.of(1, 1, 1) }],
  ]
  test.each(bad)('%s', async (_, code, feeds) => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    const executable = await backend.compile({ program: accumulate })
    await expect(backend.run({ executable, feeds, states: [state] })).rejects.toMatchObject({
      code,
      name: 'CollimateError',
    })
    expect(await backend.read({ state })).toEqual({ w: vector(1, 2, 3) })
  })

  test('an index outside its table', async () => {
    const index = input('index', [1], 'int')
    const pick = program({ name: 'pick', outputs: { y: gather(x, index) }, updates: [{ state: w, value: x }] })
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    const executable = await backend.compile({ program: pick })
    const run = backend.run({ executable, feeds: { ...good, index: Int32Array.of(3) }, states: [state] })
    await expect(run).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_INDEX', name: 'CollimateError' })
    expect(await backend.read({ state })).toEqual({ w: vector(1, 2, 3) })
  })

  test('states that are missing or of another shape', async () => {
    const executable = await backend.compile({ program: accumulate })
    const other = await backend.state({ tensors: { w: vector(1, 2) } })
    await expect(backend.run({ executable, feeds: good })).rejects.toMatchObject({ code: 'COLLIMATE_STATE_MISSING' })
    const mismatch = backend.run({ executable, feeds: good, states: [other] })
    await expect(mismatch).rejects.toMatchObject({ code: 'COLLIMATE_STATE_MISMATCH' })
  })

  test('ids that do not exist, names that do not exist', async () => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    await expect(backend.run({ executable: 'x', feeds: {} })).rejects.toMatchObject({
      code: 'COLLIMATE_EXECUTABLE_UNKNOWN',
    })
    await expect(backend.read({ state: 'x' })).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
    await expect(backend.read({ state, names: ['q'] })).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
    const half = backend.write({ state, tensors: { w: vector(0, 0, 0), q: vector(0) } })
    await expect(half).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
    expect(await backend.read({ state })).toEqual({ w: vector(1, 2, 3) })
  })

  test('a program that is not one', async () => {
    const wrong: Program = { ...program({ name: 'p', outputs: { y: add(x, constant(1)) } }) }
    const nodes = wrong.nodes.map((node) => ({ ...node, shape: [7] }))
    const compile = backend.compile({ program: { ...wrong, nodes } })
    await expect(compile).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_PROGRAM', name: 'CollimateError' })
  })
})
