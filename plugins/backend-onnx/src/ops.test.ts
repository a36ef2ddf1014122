import type { Backend, HostTensor, TensorData } from '@collimate/core'
import {
  attend,
  constant,
  evaluate,
  exp,
  expm1,
  gradients,
  input,
  log,
  log1p,
  logSigmoid,
  logSoftmax,
  logSumExp,
  mul,
  opNames,
  program,
  rsqrt,
  sampleOp,
  softmax,
  softplus,
  sum,
  tanh,
  type OpName,
  type Tensor,
} from '@collimate/graph'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBackend } from './backend.js'
import { closeTo, generator, inFloat32 } from './testing/numbers.js'

let backend: Backend
beforeAll(async () => {
  backend = await createBackend({ device: 'cpu', threads: 2, arena: true, spinning: false })
})
afterAll(() => backend.close())

const seeds = { seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }) }

/** Runs expressions on the backend. */
async function onBackend(tensors: Record<string, Tensor>, feeds: Record<string, TensorData>) {
  const compiled = program({ name: 'law', outputs: tensors, simplify: false })
  const used = Object.fromEntries(compiled.inputs.map(({ name }) => [name, feeds[name]]))
  const executable = await backend.compile({ program: compiled })
  const outputs = await backend.run({ executable, feeds: used as Record<string, TensorData> })
  await backend.release({ id: executable })
  return outputs
}

function expectEqual(actual: TensorData | undefined, expected: HostTensor, what: string): void {
  expect(actual?.length, what).toBe(expected.data.length)
  expect(actual?.constructor, what).toBe({ float: Float32Array, int: Int32Array, bool: Uint8Array }[expected.dtype])
  expected.data.forEach((value, i) => {
    const got = actual?.[i] ?? Number.NaN
    if (!closeTo(got, value, expected.dtype === 'float' ? 3e-5 : 0)) {
      expect.fail(`${what}: element ${i} is ${got}, the interpreter says ${value}`)
    }
  })
}

/** The distinct inputs that an expression is made of. */
function leavesOf(tensor: Tensor, found = new Map<string, Tensor>()): Map<string, Tensor> {
  if (tensor.op === 'input') found.set(String(tensor.attributes['name']), tensor)
  for (const operand of tensor.inputs) leavesOf(operand, found)
  return found
}

describe('every op equals the float64 interpreter', () => {
  test.each(opNames)('%s', async (op: OpName) => {
    await fc.assert(
      fc.asyncProperty(fc.record(seeds), async ({ seed }) => {
        const { tensor, values } = sampleOp(op, generator(seed))
        const feeds = inFloat32(values)
        expectEqual((await onBackend({ y: tensor }, feeds))['y'], evaluate(tensor, feeds), `${op} ${seed}`)
      }),
      { numRuns: 25 },
    )
  })
})

describe('every derivative equals the float64 interpreter', () => {
  test.each(opNames)('%s', async (op: OpName) => {
    await fc.assert(
      fc.asyncProperty(fc.record(seeds), async ({ seed }) => {
        const { tensor, values } = sampleOp(op, generator(seed))
        const feeds = inFloat32(values)
        const wrt = [...leavesOf(tensor).values()].filter(({ dtype }) => dtype === 'float')
        if (tensor.dtype !== 'float' || op === 'sortDescending' || wrt.length === 0) return
        const weights = Float32Array.from({ length: tensor.size }, generator(seed + 1))
        const loss = sum(mul(tensor, input('weights', tensor.shape)))
        const all = { ...feeds, weights }
        const derivatives = gradients(loss, wrt)
        const actual = await onBackend(Object.fromEntries(derivatives.map((d, i) => [String(i), d])), all)
        derivatives.forEach((d, i) => expectEqual(actual[String(i)], evaluate(d, all), `d ${op} ${seed}`))
      }),
      { numRuns: 10 },
    )
  })
})

describe('far from 0 and close to it', () => {
  const far = [-1e4, -100, -40, -20, -1, -1e-3, -1e-6, 0, 1e-6, 1e-3, 1, 20, 40, 80]
  const positive = far.filter((value) => value > 0)
  const above = [-0.999, ...far.filter((value) => value > -1)]
  test.each<[string, (x: Tensor) => Tensor, number[]]>([
    ['logSigmoid', logSigmoid, far],
    ['softplus', softplus, far],
    ['expm1', expm1, far],
    ['log1p', log1p, above],
    ['exp', exp, far.slice(2)],
    ['log', log, positive],
    ['rsqrt', rsqrt, positive],
    ['tanh', tanh, far],
  ])('%s keeps its digits', async (name, op, values) => {
    const data = Float32Array.from(values)
    const y = op(input('x', [data.length]))
    const expected = evaluate(y, { x: data })
    const actual = (await onBackend({ y }, { x: data }))['y'] ?? []
    expected.data.forEach((value, i) => {
      const [got, wanted] = [actual[i] ?? Number.NaN, Math.fround(value)]
      if (!(Math.abs(got - wanted) <= 2e-6 * Math.abs(wanted) + 1e-37)) {
        expect.fail(`${name}(${data[i]}) is ${got}, the interpreter says ${wanted}`)
      }
    })
  })

  test('softmax, logSumExp and attention are finite under masks of -1e9 and scores of 1e4', async () => {
    const data = Float32Array.of(1e4, 0, -1e9, -1e9, -1e9, -1e9, 5, -1e9, 4)
    const x = input('x', [3, 3])
    const outputs = {
      softmax: softmax(x),
      logSoftmax: logSoftmax(x),
      logSumExp: logSumExp(x),
      attend: attend(x, constant([1, 2, 3], [3, 1])),
    }
    const actual = await onBackend(outputs, { x: data })
    for (const [name, tensor] of Object.entries(outputs)) expectEqual(actual[name], evaluate(tensor, { x: data }), name)
  })
})
