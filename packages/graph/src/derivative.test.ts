import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  add,
  constant,
  decompose,
  evaluate,
  gradients,
  input,
  interpret,
  mul,
  opNames,
  ops,
  program,
  stopGradient,
  sum,
  tanh,
  type Tensor,
} from './index.js'
import { sampleOp } from './samples/op-samples.js'
import type { Sample } from './samples/sampler.js'
import { seeded } from './samples/seeded.js'
import { topologicalOrder } from './topological-order.js'
import type { TensorData } from './types.js'

const seeds = fc.integer()

/** The float inputs of a sample. */
function inputsOf({ tensor }: Sample): Tensor[] {
  return topologicalOrder([tensor]).filter(({ op, dtype }) => op === 'input' && dtype === 'float')
}

/** Derivative of the scalar along `direction`, by the five-point formula: its error is of order step⁴. */
function alongDirection(loss: Tensor, values: Sample['values'], direction: Sample['values'], step = 1e-3): number {
  const at = (t: number): number => {
    const moved: Record<string, TensorData> = { ...values }
    for (const [name, d] of Object.entries(direction)) {
      moved[name] = (values[name] as Float64Array).map((value, i) => value + t * d[i])
    }
    return evaluate(loss, moved).data[0]
  }
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
}

function randomLike(tensors: readonly Tensor[], random: () => number): Record<string, Float64Array> {
  const draw = (tensor: Tensor) => Float64Array.from({ length: tensor.size }, () => 2 * random() - 1)
  return Object.fromEntries(tensors.map((tensor) => [String(tensor.attributes.name), draw(tensor)]))
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((total, value, i) => total + value * b[i], 0)

/** The derivative along a random direction of a randomly weighted sum of the value: wrong anywhere, it is wrong here. */
function expectDerivative(sample: Sample, random: () => number, order: 1 | 2): void {
  const inputs = inputsOf(sample)
  const weights = input('weights', sample.tensor.shape)
  const values = { ...sample.values, ...randomLike([weights], random) }
  let loss = sum(mul(sample.tensor, weights))
  if (order === 2) {
    const first = gradients(loss, inputs)
    const slopes = inputs.map((tensor, i) => input(`slope ${i}`, tensor.shape))
    Object.assign(values, randomLike(slopes, random))
    loss = first.map((gradient, i) => sum(mul(gradient, slopes[i]))).reduce((a, b) => add(a, b), constant(0))
  }
  const direction = randomLike(inputs, random)
  const computed = evaluate(gradients(loss, inputs), values)
  const slope = inputs.reduce(
    (total, tensor, i) => total + dot(computed[i].data, direction[String(tensor.attributes.name)]),
    0,
  )
  const expected = alongDirection(loss, values, direction)
  expect(Math.abs(slope - expected)).toBeLessThan(1e-7 * (1 + Math.abs(expected)))
}

// stopGradient is the one op whose declared derivative is, on purpose, not that of its value.
const differentiable = opNames.filter((op) => !('noGradient' in ops[op]) && op !== 'stopGradient')

describe.each(differentiable)('%s', (op) => {
  test('derivative = central differences', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = seeded(seed)
        const sample = sampleOp(op, random)
        fc.pre(sample.tensor.dtype === 'float')
        expectDerivative(sample, random, 1)
      }),
      { numRuns: 40 },
    )
  })

  test('second derivative = central differences of the first', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = seeded(seed)
        const sample = sampleOp(op, random)
        fc.pre(sample.tensor.dtype === 'float')
        expectDerivative(sample, random, 2)
      }),
      { numRuns: 15 },
    )
  })
})

test('stopGradient hides its operand from the derivative', () => {
  const x = input('x', [3])
  const [gradient] = gradients(sum(mul(stopGradient(tanh(x)), x)), [x])
  expect(Array.from(evaluate(gradient, { x: [-1, 0, 2] }).data)).toEqual([-1, 0, 2].map(Math.tanh))
})

describe.each(opNames.filter((op) => 'noGradient' in ops[op]))('%s has no derivative', (op) => {
  test('and says so where one is asked for', () => {
    const sample = sampleOp(op, seeded(1))
    const inputs = inputsOf(sample)
    const attempt = () => gradients(sample.tensor, inputs, input('seed', sample.tensor.shape))
    expect(attempt).toThrowError(expect.objectContaining({ code: 'COLLIMATE_GRAPH_NO_GRADIENT' }))
  })
})

describe.each(opNames)('%s', (op) => {
  test('its samples apply it', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const applied = topologicalOrder([sampleOp(op, seeded(seed)).tensor]).map((tensor) => tensor.op)
        fc.pre(applied.length > 1 || op === 'constant')
        expect(applied).toContain(op)
      }),
      { numRuns: 20 },
    )
  })

  test('simplified and decomposed, value and derivatives stay', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { tensor, values } = sampleOp(op, seeded(seed))
        const inputs = inputsOf({ tensor, values })
        const outputs: Record<string, Tensor> = { value: tensor }
        if (tensor.dtype === 'float' && !('noGradient' in ops[op])) {
          gradients(sum(mul(tensor, tensor)), inputs).forEach((gradient, i) => (outputs[`gradient ${i}`] = gradient))
        }
        const plain = program({ name: 'plain', outputs, simplify: false })
        const feeds = Object.fromEntries(
          Object.entries(values).filter(([name]) => plain.inputs.some((spec) => spec.name === name)),
        )
        const expected = interpret(plain, { feeds }).outputs
        const simplified = program({ name: 'simplified', outputs })
        const decomposed = decompose(simplified, (other) => !ops[other].fused)
        expect(decomposed.nodes.filter((node) => ops[node.op].fused)).toEqual([])
        for (const other of [simplified, decomposed]) {
          const actual = interpret(other, { feeds }).outputs
          for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
            expect(actual[name]).toMatchObject({ dtype, shape })
            data.forEach((value, i) =>
              expect(Math.abs(actual[name].data[i] - value)).toBeLessThan(1e-10 * (1 + Math.abs(value))),
            )
          }
        }
      }),
      { numRuns: 30 },
    )
  })
})
