import type { Backend } from '@collimate/core'
import { createBus } from '@collimate/core'
import { gather, input, matmul, mul, opNames, program, sum } from '@collimate/graph'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from './backend.js'
import tfjs, { devices } from './index.js'

// What every backend must do is in the laws; these are this one's own words and limits.

test('the plugin knows its options', () => {
  const { options } = tfjs.definition
  expect(options.parse({})).toEqual({ device: 'auto' })
  for (const wrong of [{ device: 'gpu' }, { threads: 0 }, { nosuch: 1 }])
    expect(options.safeParse(wrong).success).toBe(false)
})

test.each(devices)('%s: every op has kernels or a decomposition', (device) => {
  const support = tfjs.definition.opSupport?.(device) ?? {}
  expect(Object.keys(support)).toEqual(opNames)
  for (const [op, { how, into }] of Object.entries(support))
    if (op !== 'constant' && op !== 'stopGradient') expect([op, how, into.length > 0]).toEqual([op, how, true])
})

test('a device that is not here is refused with what it needs', async () => {
  const missing = await openBackend(['node-gpu']).then(
    ({ backend }) => backend.close(),
    (error: unknown) => error,
  )
  if (missing === undefined) return console.warn('node-gpu works here: its refusal is not tested')
  expect(missing).toMatchObject({
    code: 'COLLIMATE_PROVIDER_UNAVAILABLE',
    hint: expect.stringContaining('native-tfjs'),
  })
})

test('auto takes the first device that works, and says once why not one before it', async () => {
  const bus = createBus()
  const warnings: string[] = []
  bus.on('warning.raised', ({ message }) => void warnings.push(message))
  const { create, options } = tfjs.definition
  const backend = await create(options.parse({}), { bus } as never)
  const { device } = await backend.capabilities()
  expect(devices).toContain(device)
  expect(warnings).toHaveLength(device === devices[0] ? 0 : 1)
  for (const before of devices.slice(
    0,
    devices.findIndex((one) => one === device),
  ))
    expect(warnings[0]).toContain(`${before} does not start: `)
  await backend.close()
})

describe('WebAssembly', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = (await openBackend(['wasm'])).backend
  })
  afterAll(() => backend.close())

  test('more than its memory is refused, and it goes on', async () => {
    const huge = backend.state({ tensors: { w: { dtype: 'float', shape: [2 ** 30] } } })
    await expect(huge).rejects.toMatchObject({ code: 'COLLIMATE_OUT_OF_MEMORY' })
    const state = await backend.state({ tensors: { w: { dtype: 'float', shape: [3], fill: 2 } } })
    expect((await backend.read({ state })).w?.data).toEqual(Float32Array.of(2, 2, 2))
    await backend.release({ id: state })
  })

  test('a sum of a million values keeps its digits', async () => {
    const x = input('x', [2 ** 20])
    const executable = await backend.compile({ program: program({ name: 'sums', outputs: { y: sum(mul(x, x)) } }) })
    const { y } = await backend.run({ executable, feeds: { x: new Float32Array(2 ** 20).fill(0.1) } })
    const exact = 2 ** 20 * Math.fround(0.1) ** 2
    expect(Math.abs((y?.[0] ?? 0) / exact - 1)).toBeLessThan(2e-6)
    await backend.release({ id: executable })
  })

  test('products of every layout, taken one by one', async () => {
    const [a, b] = [input('a', [3, 40, 50]), input('b', [3, 60, 40])]
    const product = program({ name: 'product', outputs: { y: matmul(a, b, { transposeA: true, transposeB: true }) } })
    const executable = await backend.compile({ program: product })
    const values = (size: number, step: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * step))
    const feeds = { a: values(3 * 40 * 50, 0.37), b: values(3 * 60 * 40, 0.71) }
    const { y } = await backend.run({ executable, feeds })
    for (const [batch, row, column] of [
      [0, 0, 0],
      [1, 17, 59],
      [2, 49, 33],
    ] as const) {
      let expected = 0
      for (let k = 0; k < 40; k++)
        expected += (feeds.a[batch * 2000 + k * 50 + row] ?? 0) * (feeds.b[batch * 2400 + column * 40 + k] ?? 0)
      expect(y?.[batch * 3000 + row * 60 + column]).toBeCloseTo(expected, 4)
    }
    await backend.release({ id: executable })
  })

  test('an index that the program computes is looked at too', async () => {
    const [x, index] = [input('x', [4]), input('index', [2], 'int')]
    const pick = program({ name: 'pick', outputs: { y: gather(x, mul(index, 2)) } })
    const executable = await backend.compile({ program: pick })
    const run = (...of: number[]) =>
      backend.run({ executable, feeds: { x: Float32Array.of(1, 2, 3, 4), index: Int32Array.from(of) } })
    expect((await run(0, 1)).y).toEqual(Float32Array.of(1, 3))
    for (const outside of [2, -1])
      await expect(run(0, outside)).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_INDEX' })
    await backend.release({ id: executable })
  })
})
