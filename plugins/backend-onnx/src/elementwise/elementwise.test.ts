import type { Backend, Program, TensorData } from '@collimate/core'
import * as graph from '@collimate/graph'
import { input, interpret, program, type Tensor } from '@collimate/graph'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBackend } from '../backend.js'
import { closeTo, generator, inFloat32 } from '../testing/numbers.js'
import { planElementwise } from './recognise.js'

let backend: Backend
beforeAll(async () => {
  backend = await createBackend({ device: 'cpu', threads: 2, arena: true, spinning: false })
})
afterAll(() => backend.close())

const state = (name: string, shape: number[]) => input(name, shape, 'float', 'state')
const pick = <T>(random: () => number, options: readonly T[]): T => options[Math.floor(random() * options.length)] as T

/** A random element-wise expression; comparisons and signs only of leaves, where rounding cannot turn them. */
function expression(random: () => number, leaves: readonly Tensor[], depth: number): Tensor {
  const leaf = () => pick(random, leaves)
  const next = () => expression(random, leaves, depth - 1)
  if (depth === 0) return leaf()
  const away = (x: Tensor) => graph.add(graph.abs(x), 0.5)
  const make: readonly (() => Tensor)[] = [
    () => graph.add(next(), next()),
    () => graph.sub(next(), leaf()),
    () => graph.mul(next(), next()),
    () => graph.mul(next(), 0.5),
    () => graph.div(next(), away(leaf())),
    () => graph.maximum(next(), next()),
    () => graph.minimum(next(), 0.25),
    () => graph.sqrt(away(next())),
    () => graph.rsqrt(away(next())),
    () => graph.reciprocal(away(next())),
    () => graph.neg(next()),
    () => graph.abs(next()),
    () => graph.square(next()),
    () => graph.pow(away(next()), pick(random, [2, 0.5])),
    () => graph.relu(next()),
    () => graph.sign(leaf()),
    () => graph.where(graph.less(leaf(), leaf()), next(), next()),
    () => graph.where(graph.not(graph.greaterEqual(leaf(), leaf())), next(), 1),
    () => graph.where(graph.and(graph.greater(leaf(), 0), graph.lessEqual(leaf(), 1)), next(), next()),
    () => graph.where(graph.or(graph.equal(leaf(), leaf()), graph.notEqual(leaf(), leaf())), next(), next()),
  ]
  return pick(random, make)()
}

/** An optimiser-like program over two groups of states of one size, with norms, numbers and outputs. */
function randomProgram(random: () => number, sizes: readonly number[]) {
  const numbers = [input('rate', []), graph.exp(input('power', [])), state('count', [])]
  const buffers = sizes.map((size, i) => ['p', 'g', 'm'].map((kind) => state(`${kind}${i}`, [size])))
  const norm = graph.sqrt(
    buffers.reduce<Tensor>((total, [, g]) => graph.add(total, graph.sum(graph.square(g as Tensor))), graph.constant(1)),
  )
  const updates = buffers.flatMap(([p, g, m]) => {
    const leaves = [p, g, m, ...numbers, graph.reciprocal(norm)] as Tensor[]
    return [p, m].map((target) => ({
      state: target as Tensor,
      value: graph.broadcastTo(expression(random, leaves, 3), (target as Tensor).shape),
    }))
  })
  const reduced = graph.sum(expression(random, [...(buffers[0] ?? [])], 2))
  return program({
    name: 'random step',
    outputs: { norm, reduced },
    updates: [...updates, { state: numbers[2] as Tensor, value: graph.add(numbers[2] as Tensor, 1) }],
  })
}

function valuesOf(random: () => number, compiled: Program, role: 'feed' | 'state'): Record<string, TensorData> {
  const inputs = compiled.inputs.filter((one) => one.role === role)
  return inFloat32(
    Object.fromEntries(
      inputs.map(({ name, shape }) => [
        name,
        Float64Array.from({ length: shape.reduce((product, length) => product * length, 1) }, () => 4 * random() - 2),
      ]),
    ),
  )
}

/** Runs a program on the backend, with all states in one set or each in a set of its own. */
async function run(
  compiled: Program,
  feeds: Record<string, TensorData>,
  states: Record<string, TensorData>,
  apart: boolean,
) {
  const shapes = new Map(compiled.inputs.map(({ name, shape }) => [name, shape]))
  const tensors = Object.entries(states).map(
    ([name, data]) => [name, { dtype: 'float' as const, shape: shapes.get(name) ?? [], data }] as const,
  )
  const groups = apart ? tensors.map((tensor) => [tensor]) : [tensors]
  const ids = await Promise.all(groups.map((group) => backend.state({ tensors: Object.fromEntries(group) })))
  const executable = await backend.compile({ program: compiled })
  const outputs = await backend.run({ executable, feeds, states: ids })
  const after = Object.assign({}, ...(await Promise.all(ids.map((id) => backend.read({ state: id })))))
  for (const id of [executable, ...ids]) await backend.release({ id })
  return { outputs, after: after as Record<string, { data: TensorData }> }
}

describe('element-wise programs', () => {
  const cases = { seed: fc.integer(), sizes: fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 1, maxLength: 3 }) }

  test.each([
    ['as passes over memory', false],
    ['on ONNX Runtime, where the states live in several sets', true],
  ])('equal the interpreter %s', async (_, apart) => {
    await fc.assert(
      fc.asyncProperty(fc.record(cases), async ({ seed, sizes }) => {
        const random = generator(seed)
        const compiled = randomProgram(random, sizes)
        expect(planElementwise(compiled)).toBeDefined()
        const feeds = valuesOf(random, compiled, 'feed')
        const states = valuesOf(random, compiled, 'state')
        const wanted = Object.fromEntries(
          compiled.inputs
            .filter(({ role }) => role === 'state')
            .map(({ name, shape }) => [
              name,
              { dtype: 'float' as const, shape, data: Float64Array.from(states[name] ?? []) },
            ]),
        )
        const expected = interpret(compiled as graph.Program, { feeds, states: wanted })
        const { outputs, after } = await run(compiled, feeds, states, apart)
        const pairs: [string, TensorData | undefined, TensorData | undefined][] = [
          ...Object.entries(expected.outputs).map(
            ([name, { data }]) => [name, outputs[name], data] as [string, TensorData, TensorData],
          ),
          ...Object.entries(wanted).map(
            ([name, { data }]) => [name, after[name]?.data, data] as [string, TensorData, TensorData],
          ),
        ]
        for (const [name, actual, reference] of pairs) {
          reference?.forEach((value, i) => {
            if (!closeTo(actual?.[i] ?? Number.NaN, value, 2e-4)) {
              expect.fail(`${name}[${i}] is ${actual?.[i]}, the interpreter says ${value}`)
            }
          })
        }
      }),
      { numRuns: 100 },
    )
  })

  test('one module serves all parameters that are updated alike', () => {
    const updates = Array.from({ length: 20 }, (_, i) => {
      const [p, g] = [state(`p${i}`, [i + 3]), state(`g${i}`, [i + 3])]
      return { state: p, value: graph.sub(p, graph.mul(g, input('rate', []))) }
    })
    const plan = planElementwise(program({ name: 'descent', outputs: {}, updates }))
    expect(plan).toMatchObject({ modules: { length: 1 }, passes: { length: 20 } })
  })

  test('states that trade places are updated in one pass', async () => {
    const [a, b] = [state('a', [6]), state('b', [6])]
    const swap = program({
      name: 'swap',
      outputs: {},
      updates: [
        { state: a, value: b },
        { state: b, value: a },
      ],
    })
    expect(planElementwise(swap)).toMatchObject({ passes: { length: 1 } })
    const { after } = await run(swap, {}, { a: Float32Array.of(1, 2, 3, 4, 5, 6), b: new Float32Array(6) }, false)
    expect([...(after['a']?.data ?? [])]).toEqual([0, 0, 0, 0, 0, 0])
    expect([...(after['b']?.data ?? [])]).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('sums are exact to float64, and padding never counts', async () => {
    for (const size of [2, 3, 5, 63, 64, 65, 100_003]) {
      const x = state('x', [size])
      const total = program({ name: 'total', outputs: { y: graph.sum(x) } })
      const { outputs } = await run(total, {}, { x: new Float32Array(size).fill(0.1) }, false)
      expect(outputs['y']?.[0]).toBe(Math.fround(Math.fround(0.1) * size))
    }
  })

  test.each([
    ['a matrix product', graph.matmul(state('w', [3, 3]), state('w', [3, 3]))],
    ['a vector that is repeated over rows', graph.add(state('w', [3, 3]), state('row', [3]))],
    ['a transposed state', graph.transpose(state('w', [3, 3]), [1, 0])],
    ['a function without an instruction', graph.exp(state('w', [3, 3]))],
    ['a fed tensor', graph.add(state('w', [3, 3]), input('x', [3, 3]))],
    ['ints', graph.cast(graph.add(state('w', [3, 3]), 1), 'int')],
  ])('%s is left to ONNX Runtime', (_, value) => {
    const target = input('target', value.shape, value.dtype, 'state')
    expect(
      planElementwise(program({ name: 'other', outputs: {}, updates: [{ state: target, value }] })),
    ).toBeUndefined()
  })
})
