import type { Backend, StateInit } from '@collimate/core'
import {
  add,
  constant,
  fill,
  gather,
  input,
  matmul,
  mul,
  program,
  relu,
  scatterAdd,
  softmax,
  square,
  sub,
  sum,
  type Program,
} from '@collimate/graph'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBackend } from './backend.js'
import onnx, { probeDevice } from './index.js'
import { closeTo, generator } from './testing/numbers.js'

const settings = { device: 'cpu', threads: 2, arena: true, spinning: false } as const
let backend: Backend
beforeAll(async () => {
  backend = await createBackend(settings)
})
afterAll(() => backend.close())

const vector = (...values: number[]) => ({
  dtype: 'float' as const,
  shape: [values.length],
  data: Float32Array.from(values),
})
const zeros = (...shape: number[]): StateInit => ({ dtype: 'float', shape })
const x = input('x', [3])
const w = input('w', [3], 'float', 'state')
const v = input('v', [3], 'float', 'state')

/** Adds the feed to the state and returns the sum of the product. */
const accumulate = program({
  name: 'accumulate',
  outputs: { y: sum(mul(x, w)) },
  updates: [{ state: w, value: add(w, x) }],
})

async function valuesOf(state: string, name: string, from = backend): Promise<number[]> {
  return [...((await from.read({ state, names: [name] }))[name]?.data ?? [])]
}

describe('runs and states', () => {
  test('an update reads the old values and writes after the run', async () => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    const executable = await backend.compile({ program: accumulate })
    const feeds = { x: Float64Array.of(1, 1, 1) }
    expect([...((await backend.run({ executable, feeds, states: [state] }))['y'] ?? [])]).toEqual([6])
    expect([...((await backend.run({ executable, feeds, states: [state] }))['y'] ?? [])]).toEqual([9])
    expect(await valuesOf(state, 'w')).toEqual([3, 4, 5])
    expect([...feeds.x]).toEqual([1, 1, 1])
  })

  test('updates through any mix of matrix products equal the same products outside', async () => {
    const [p, q] = [input('p', [5, 5], 'float', 'state'), input('q', [5, 5], 'float', 'state')]
    const compiled = program({
      name: 'entangled',
      outputs: { trace: sum(p) },
      updates: [
        { state: p, value: matmul(q, p) },
        { state: q, value: add(matmul(p, q, { transposeA: true }), p) },
      ],
    })
    const executable = await backend.compile({ program: compiled })
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = generator(seed)
        const draw = () => Float32Array.from({ length: 25 }, () => random() - 0.5)
        let [a, b] = [Float64Array.from(draw()), Float64Array.from(draw())]
        const tensor = (data: Float64Array) => ({ dtype: 'float' as const, shape: [5, 5], data })
        const state = await backend.state({ tensors: { p: tensor(a), q: tensor(b) } })
        for (let step = 0; step < 3; step++) {
          await backend.run({ executable, feeds: {}, states: [state] })
          const product = (l: Float64Array, r: Float64Array, flip: boolean) =>
            Float64Array.from({ length: 25 }, (_, i) => {
              const [row, column] = [Math.floor(i / 5), i % 5]
              const terms = [0, 1, 2, 3, 4].map(
                (k) => (l[flip ? k * 5 + row : row * 5 + k] ?? 0) * (r[k * 5 + column] ?? 0),
              )
              return terms.reduce((total, term) => total + term, 0)
            })
          const nextA = product(b, a, false)
          b = product(a, b, true).map((value, i) => value + (a[i] ?? 0))
          a = nextA
        }
        const [p1, q1] = [await valuesOf(state, 'p'), await valuesOf(state, 'q')]
        expect(p1.every((value, i) => closeTo(value, a[i] ?? 0, 1e-4))).toBe(true)
        expect(q1.every((value, i) => closeTo(value, b[i] ?? 0, 1e-4))).toBe(true)
        await backend.release({ id: state })
      }),
      { numRuns: 20 },
    )
    await backend.release({ id: executable })
  })

  test('rows enter a cache at any axis and start, and nowhere else', async () => {
    const cases = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      place: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, place: [p = 0, q = 0, r = 0] }) => {
        const axis = p % shape.length
        const capacity = shape[axis] ?? 1
        const rows = 1 + (q % capacity)
        const from = r % (capacity - rows + 1)
        const rowShape = shape.map((size, d) => (d === axis ? rows : size))
        const fresh = input('fresh', rowShape)
        const start = input('start', [], 'int')
        const cache = input('cache', shape, 'float', 'state')
        const append = program({
          name: 'append',
          outputs: {},
          updates: [{ state: cache, value: mul(fresh, 2), at: { axis, start } }],
        })
        const size = rowShape.reduce((product, length) => product * length, 1)
        const executable = await backend.compile({ program: append })
        const state = await backend.state({ tensors: { cache: zeros(...shape) } })
        const feeds = { fresh: Float32Array.from({ length: size }, (_, i) => i + 1), start: Int32Array.of(from) }
        await backend.run({ executable, feeds, states: [state] })
        const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1)
        let next = 1
        const expected = (await valuesOf(state, 'cache')).map((_, i) => {
          const at = Math.floor(i / inner) % capacity
          return at >= from && at < from + rows ? 2 * next++ : 0
        })
        expect(await valuesOf(state, 'cache')).toEqual(expected)
        for (const outside of [capacity - rows + 1, -1]) {
          const run = backend.run({ executable, feeds: { ...feeds, start: Int32Array.of(outside) }, states: [state] })
          await expect(run).rejects.toMatchObject({ code: 'COLLIMATE_UPDATE_OUT_OF_RANGE' })
        }
        for (const id of [state, executable]) await backend.release({ id })
      }),
      { numRuns: 25 },
    )
  })

  test('frozen equals live, and does not see later writes', async () => {
    const [a, b] = [input('a', [4, 6], 'float', 'state'), input('b', [6], 'float', 'state')]
    const feed = input('feed', [2, 4])
    const forward = program({ name: 'forward', outputs: { y: softmax(add(matmul(relu(feed), a), b)) } })
    const random = generator(5)
    const draw = (...shape: number[]) => {
      const data = Float32Array.from({ length: shape.reduce((product, length) => product * length, 1) }, random)
      return { dtype: 'float' as const, shape, data }
    }
    const feeds = { feed: draw(2, 4).data }
    const weights = await backend.state({ tensors: { a: draw(4, 6), b: draw(6) } })
    const live = await backend.compile({ program: forward })
    const frozen = await backend.compile({ program: forward, frozen: [weights] })
    const first = await backend.run({ executable: live, feeds, states: [weights] })
    await backend.write({
      state: weights,
      tensors: { a: { ...draw(4, 6), data: new Float32Array(24) }, b: { ...draw(6), data: new Float32Array(6) } },
    })
    const second = await backend.run({ executable: frozen, feeds })
    expect([...(second['y'] ?? [])].every((value, i) => closeTo(value, first['y']?.[i] ?? 0, 1e-6))).toBe(true)
    const partly = await backend.copy({ state: weights, names: ['b'] })
    const half = await backend.compile({ program: forward, frozen: [partly] })
    await backend.release({ id: partly })
    const flat = await backend.run({ executable: half, feeds, states: [weights] })
    expect(flat).toEqual(await backend.run({ executable: live, feeds, states: [weights] }))
    const update = backend.compile({ program: accumulate, frozen: [await backend.state({ tensors: { w: zeros(3) } })] })
    await expect(update).rejects.toMatchObject({ code: 'COLLIMATE_PROGRAM_INVALID' })
  })

  test('inputs, constants and one value twice can be outputs and updates', async () => {
    const one = constant([1, 2, 3])
    const echo = program({
      name: 'echo',
      outputs: { x, w, again: w, one, both: add(x, w), twice: add(x, w) },
      updates: [
        { state: w, value: x },
        { state: v, value: w },
      ],
    })
    const state = await backend.state({ tensors: { w: vector(4, 5, 6), v: vector(0, 0, 0) } })
    const executable = await backend.compile({ program: echo })
    const outputs = await backend.run({ executable, feeds: { x: Float32Array.of(7, 8, 9) }, states: [state] })
    const lists = Object.fromEntries(Object.entries(outputs).map(([name, data]) => [name, [...data]]))
    expect(lists).toEqual({
      x: [7, 8, 9],
      w: [4, 5, 6],
      again: [4, 5, 6],
      one: [1, 2, 3],
      both: [11, 13, 15],
      twice: [11, 13, 15],
    })
    expect([await valuesOf(state, 'w'), await valuesOf(state, 'v')]).toEqual([
      [7, 8, 9],
      [4, 5, 6],
    ])
  })

  test('scatterAdd with many duplicates is right on two threads', async () => {
    const [rows, width, table] = [4096, 64, 7]
    const indices = input('indices', [rows, width], 'int')
    const updates = input('updates', [rows, width])
    const scatter = program({
      name: 'scatter',
      outputs: { y: scatterAdd(fill(0, [table, width]), indices, updates, 0) },
    })
    const executable = await backend.compile({ program: scatter })
    for (let round = 0; round < 3; round++) {
      const random = generator(round)
      const places = Int32Array.from({ length: rows * width }, () => Math.floor(random() * table))
      const values = Float32Array.from({ length: rows * width }, () => random() - 0.5)
      const expected = new Float64Array(table * width)
      places.forEach(
        (place, i) =>
          (expected[place * width + (i % width)] = (expected[place * width + (i % width)] ?? 0) + (values[i] ?? 0)),
      )
      const { y } = await backend.run({ executable, feeds: { indices: places, updates: values } })
      expect([...(y ?? [])].every((value, i) => closeTo(value, expected[i] ?? 0, 1e-4))).toBe(true)
    }
  })

  test('the first set that has a name wins', async () => {
    const first = await backend.state({ tensors: { w: vector(1, 1, 1) } })
    const second = await backend.state({ tensors: { w: vector(9, 9, 9), v: vector(0, 0, 0) } })
    const executable = await backend.compile({ program: program({ name: 'both', outputs: { y: sum(add(w, v)) } }) })
    const total = async (states: string[]) => [...((await backend.run({ executable, feeds: {}, states }))['y'] ?? [])]
    expect(await total([first, second])).toEqual([3])
    expect(await total([second, first])).toEqual([27])
  })

  test('ints and bools keep their kind', async () => {
    const n = input('n', [2], 'int', 'state')
    const flags = input('flags', [2], 'bool')
    const count = program({ name: 'count', outputs: { n, flags }, updates: [{ state: n, value: add(n, 1) }] })
    const state = await backend.state({ tensors: { n: { dtype: 'int', shape: [2], fill: 7 } } })
    const executable = await backend.compile({ program: count })
    const outputs = await backend.run({ executable, feeds: { flags: Uint8Array.of(1, 0) }, states: [state] })
    expect(outputs).toEqual({ n: Int32Array.of(7, 7), flags: Uint8Array.of(1, 0) })
    expect(await backend.read({ state })).toEqual({ n: { dtype: 'int', shape: [2], data: Int32Array.of(8, 8) } })
  })
})

describe('a refused run has a code and leaves the states as they were', () => {
  const good = { x: Float32Array.of(1, 1, 1) }
  const bad: [string, string, Record<string, Float32Array | Int32Array>][] = [
    ['unknown feed', 'COLLIMATE_FEED_UNKNOWN', { ...good, z: Float32Array.of(1) }],
    ['missing feed', 'COLLIMATE_FEED_MISSING', {}],
    ['feed of the wrong size', 'COLLIMATE_TENSOR_INVALID', { x: Float32Array.of(1, 1) }],
    ['feed of the wrong kind', 'COLLIMATE_TENSOR_INVALID', { x: Int32Array.of(1, 1, 1) }],
    ['a state given as feed', 'COLLIMATE_FEED_UNKNOWN', { ...good, w: Float32Array.of(1, 1, 1) }],
  ]
  test.each(bad)('%s: %s', async (_, code, feeds) => {
    const state = await backend.state({ tensors: { w: vector(1, 2, 3) } })
    const executable = await backend.compile({ program: accumulate })
    const run = backend.run({ executable, feeds, states: [state] })
    await expect(run).rejects.toMatchObject({ code, name: 'CollimateError' })
    expect(await valuesOf(state, 'w')).toEqual([1, 2, 3])
  })

  test('an index outside of its table, found during the run', async () => {
    const index = input('index', [1], 'int')
    const pick = program({
      name: 'pick',
      outputs: { y: gather(x, index) },
      updates: [
        { state: w, value: add(x, gather(x, index)) },
        { state: v, value: x },
      ],
    })
    const state = await backend.state({ tensors: { w: vector(1, 2, 3), v: vector(4, 5, 6) } })
    const executable = await backend.compile({ program: pick })
    const run = backend.run({ executable, feeds: { ...good, index: Int32Array.of(99) }, states: [state] })
    await expect(run).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_RUN', name: 'CollimateError' })
    expect([await valuesOf(state, 'w'), await valuesOf(state, 'v')]).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  test('states that are missing, of another shape, or unknown', async () => {
    const executable = await backend.compile({ program: accumulate })
    const other = await backend.state({ tensors: { w: vector(1, 2) } })
    const run = (states: string[]) => backend.run({ executable, feeds: good, states })
    await expect(run([])).rejects.toMatchObject({ code: 'COLLIMATE_STATE_MISSING' })
    await expect(run([other])).rejects.toMatchObject({ code: 'COLLIMATE_STATE_MISMATCH' })
    await expect(run(['nonsense'])).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
    await expect(backend.read({ state: other, names: ['q'] })).rejects.toMatchObject({
      code: 'COLLIMATE_STATE_UNKNOWN',
    })
    const half = backend.write({ state: other, tensors: { w: vector(0, 0), q: vector(0) } })
    await expect(half).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
    const wide = backend.write({ state: other, tensors: { w: vector(0, 0, 0) } })
    await expect(wide).rejects.toMatchObject({ code: 'COLLIMATE_STATE_MISMATCH' })
    expect(await valuesOf(other, 'w')).toEqual([1, 2])
    const short = { dtype: 'float' as const, shape: [3], data: Float32Array.of(1) }
    await expect(backend.state({ tensors: { w: short } })).rejects.toMatchObject({ code: 'COLLIMATE_TENSOR_INVALID' })
    const huge = backend.state({ tensors: { w: zeros(2 ** 15, 2 ** 15), more: zeros(1) } })
    await expect(huge).rejects.toMatchObject({ code: 'COLLIMATE_STATE_TOO_LARGE' })
  })

  test('a program that contradicts itself', async () => {
    const made: Program = program({ name: 'p', outputs: { y: add(x, constant(1)) } })
    const compile = backend.compile({
      program: { ...made, nodes: made.nodes.map((node) => ({ ...node, shape: [7] })) },
    })
    await expect(compile).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_PROGRAM', name: 'CollimateError' })
    const foreign = backend.compile({
      program: { ...made, nodes: made.nodes.map((node) => ({ ...node, op: 'nosuch' })) },
    })
    await expect(foreign).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_PROGRAM' })
  })
})

describe('life', () => {
  test('200 runs leave usage as it was, and everything can be freed, twice', async () => {
    const own = await createBackend(settings)
    expect(await own.usage()).toEqual({ executables: 0, states: 0, bytes: 0 })
    const state = await own.state({ tensors: { w: vector(1, 2, 3), n: { dtype: 'int', shape: [2], fill: 7 } } })
    const copy = await own.copy({ state })
    const executable = await own.compile({ program: accumulate })
    const before = await own.usage()
    expect(before).toEqual({ executables: 1, states: 2, bytes: 40 })
    const feeds = { x: Float32Array.of(0, 0, 0) }
    for (let i = 0; i < 200; i++) await own.run({ executable, feeds, states: [state] })
    expect(await own.usage()).toEqual(before)
    for (const id of [executable, copy, copy]) await own.release({ id })
    expect(await own.usage()).toEqual({ executables: 0, states: 1, bytes: 20 })
    await own.close()
    await own.close()
    await own.release({ id: state })
    const feed = own.run({ executable, feeds })
    await expect(feed).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_CLOSED' })
    await expect(own.state({ tensors: {} })).rejects.toMatchObject({ code: 'COLLIMATE_BACKEND_CLOSED' })
  })

  test('two backends work side by side and do not know each other', async () => {
    const own = [await createBackend(settings), await createBackend({ ...settings, threads: 1, arena: false })]
    const results = await Promise.all(
      own.map(async (one, i) => {
        const state = await one.state({ tensors: { w: vector(i, i, i) } })
        const executable = await one.compile({ program: accumulate })
        const runs = Array.from({ length: 50 }, () =>
          one.run({ executable, feeds: { x: Float32Array.of(1, 2, 3) }, states: [state] }),
        )
        await Promise.all(runs)
        return { state, values: await valuesOf(state, 'w', one) }
      }),
    )
    expect(results.map(({ values }) => values)).toEqual([
      [50, 100, 150],
      [51, 101, 151],
    ])
    const foreign = own[0]?.read({ state: results[1]?.state ?? '' })
    await expect(foreign).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
    await Promise.all(own.map((one) => one.close()))
  })

  test('close waits for calls that were made before it', async () => {
    const own = await createBackend(settings)
    const executable = await own.compile({ program: program({ name: 'one', outputs: { y: square(sub(x, 1)) } }) })
    const run = own.run({ executable, feeds: { x: Float32Array.of(1, 2, 3) } })
    await own.close()
    expect([...((await run)['y'] ?? [])]).toEqual([0, 1, 4])
  })

  test('a device that is not here is refused with what it needs', async () => {
    const absent = process.platform === 'win32' ? 'coreml' : 'dml'
    const { works, error } = await probeDevice(absent)
    expect(works).toBe(false)
    expect(error).toMatchObject({ code: 'COLLIMATE_PROVIDER_UNAVAILABLE', hint: expect.stringContaining(absent) })
    expect(await probeDevice('cpu')).toEqual({ device: 'cpu', works: true })
  })

  test('the plugin knows its options', async () => {
    const { options } = onnx.definition
    expect(options.parse({})).toEqual({ device: 'cpu', arena: true, spinning: false })
    for (const wrong of [{ device: 'gpu' }, { threads: 0 }, { threads: 1.5 }, { nosuch: 1 }]) {
      expect(options.safeParse(wrong).success).toBe(false)
    }
    expect(await backend.capabilities()).toEqual({ backend: 'onnx', device: 'cpu', precision: 'float32', threads: 2 })
  })
})
