import { add, gather, input, mul, program, sum } from '@collimate/graph'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createInterpreterBackend, interpreter } from './index.js'

// What every backend must do is in the laws; these are the interpreter's own words and numbers.

let backend = createInterpreterBackend()
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
const weighted = program({ name: 'weighted', outputs: { y: sum(mul(x, w)) } })

test('is a plugin that can be read without being created', () => {
  expect(interpreter.definition).toMatchObject({ name: 'interpreter', kind: 'backend' })
  expect(interpreter.definition.options.safeParse({ device: 'cpu' }).success).toBe(false)
})

test('floats take eight bytes, whole numbers four', async () => {
  expect(await backend.usage()).toEqual({ executables: 0, states: 0, bytes: 0 })
  await backend.state({ tensors: { w: vector(1, 2, 3), n: { dtype: 'int', shape: [2], fill: 7 } } })
  expect(await backend.usage()).toEqual({ executables: 0, states: 1, bytes: 32 })
})

test('computes in float64', async () => {
  const state = await backend.state({ tensors: { w: vector(1e16, 1, -1e16) } })
  const executable = await backend.compile({ program: weighted })
  const { y } = await backend.run({ executable, feeds: { x: Float64Array.of(1, 2, 1) }, states: [state] })
  expect(y).toEqual(Float64Array.of(2))
})

test('names what the graph found wrong', async () => {
  const index = input('index', [1], 'int')
  const pick = program({ name: 'pick', outputs: { y: gather(x, index) } })
  const executable = await backend.compile({ program: pick })
  const run = backend.run({ executable, feeds: { x: Float64Array.of(1, 2, 3), index: Int32Array.of(3) } })
  await expect(run).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_INDEX', name: 'CollimateError' })
  const nodes = program({ name: 'p', outputs: { y: add(x, 1) } }).nodes.map((node) => ({ ...node, shape: [7] }))
  const compile = backend.compile({ program: { ...pick, nodes } })
  await expect(compile).rejects.toMatchObject({ code: 'COLLIMATE_GRAPH_PROGRAM', name: 'CollimateError' })
})

test('ids of another interpreter are unknown', async () => {
  const other = createInterpreterBackend()
  const state = await other.state({ tensors: { w: vector(1, 2, 3) } })
  await expect(backend.read({ state })).rejects.toMatchObject({ code: 'COLLIMATE_STATE_UNKNOWN' })
  await other.close()
})
