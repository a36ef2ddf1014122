import type { Backend, HostTensor, TensorData } from '@collimate/core'
import {
  evaluate,
  gradients,
  input,
  mul,
  opNames,
  program,
  sampleOp,
  sum,
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
