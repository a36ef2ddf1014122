import type { Backend, StateInit } from '@collimate/core'
import { add, fill, input, matmul, mul, program, reshape, scatterAdd, sum, type Tensor } from '@collimate/graph'
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

/** Adds the feed to the state and returns the sum of the product. */
const accumulate = program({
  name: 'accumulate',
  outputs: { y: sum(mul(x, w)) },
  updates: [{ state: w, value: add(w, x) }],
})

async function valuesOf(state: string, name: string, from = backend): Promise<number[]> {
  return [...((await from.read({ state, names: [name] }))[name]?.data ?? [])]
}

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

test('more state than one memory holds is refused', async () => {
  const huge = backend.state({ tensors: { w: zeros(2 ** 15, 2 ** 15), more: zeros(1) } })
  await expect(huge).rejects.toMatchObject({ code: 'COLLIMATE_STATE_TOO_LARGE' })
})

describe('matrix products in float16', () => {
  let half: Backend
  beforeAll(async () => void (half = await createBackend({ ...settings, precision: 'float16' })))
  afterAll(() => half.close())

  const a = input('a', [2, 2])
  const b = input('b', [2, 2])
  const column = input('column', [2, 1])
  const batch = (x: Tensor) => reshape(x, [1, 2, 2])
  const outputs = {
    ...{ product: matmul(a, b), batched: matmul(batch(a), batch(b)), mean: matmul(a, column), sum: add(a, b) },
  }

  test('round operands and result to 11 bits, and nothing else does', async () => {
    const executable = await half.compile({ program: program({ name: 'products', outputs }) })
    const feeds = {
      a: Float32Array.of(2049, 0, 1, 2047),
      b: Float32Array.of(1, 300, 1, 2),
      column: Float32Array.of(1, 1),
    }
    const { product, batched, mean, sum: total } = await half.run({ executable, feeds })
    // 2049 becomes 2048, and 2048 · 300 more than float16 holds.
    expect([...(product ?? [])]).toEqual([2048, Infinity, 2048, 4394 - 2])
    expect([...(batched ?? [])]).toEqual([...(product ?? [])])
    expect([...(mean ?? [])]).toEqual([2049, 2048])
    expect([...(total ?? [])]).toEqual([2050, 300, 2, 2049])
    expect(await half.capabilities()).toMatchObject({ device: 'cpu', precision: 'float16' })
  })

  test('a device without them says so', async () => {
    const absent = process.platform === 'win32' ? 'coreml' : 'dml'
    const { error } = await probeDevice(absent, 'float16')
    expect(error).toMatchObject({
      code: 'COLLIMATE_PROVIDER_UNAVAILABLE',
      hint: expect.stringMatching(/^float16 needs/),
    })
  })
})

describe('life', () => {
  test('floats and whole numbers take four bytes each', async () => {
    const own = await createBackend(settings)
    expect(await own.usage()).toEqual({ executables: 0, states: 0, bytes: 0 })
    await own.state({ tensors: { w: vector(1, 2, 3), n: { dtype: 'int', shape: [2], fill: 7 } } })
    expect(await own.usage()).toEqual({ executables: 0, states: 1, bytes: 20 })
    await own.close()
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

  test('a device that is not here is refused with what it needs', async () => {
    const absent = process.platform === 'win32' ? 'coreml' : 'dml'
    const { works, error } = await probeDevice(absent)
    expect(works).toBe(false)
    expect(error).toMatchObject({ code: 'COLLIMATE_PROVIDER_UNAVAILABLE', hint: expect.stringContaining(absent) })
    expect(await probeDevice('cpu')).toEqual({ device: 'cpu', works: true })
  })

  test('the plugin knows its options', async () => {
    const { options } = onnx.definition
    expect(options.parse({})).toEqual({
      device: 'cpu',
      arena: true,
      spinning: false,
      precision: 'float32',
      tf32: false,
    })
    for (const wrong of [
      { device: 'gpu' },
      { precision: 'float64' },
      { threads: 0 },
      { threads: 1.5 },
      { nosuch: 1 },
    ]) {
      expect(options.safeParse(wrong).success).toBe(false)
    }
    expect(await backend.capabilities()).toEqual({ backend: 'onnx', device: 'cpu', precision: 'float32', threads: 2 })
  })
})
