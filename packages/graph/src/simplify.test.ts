import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as g from './index.js'
import { expression } from './samples/expression.js'
import { seeded } from './samples/seeded.js'

const [x, y] = [g.input('x', [2, 3]), g.input('y', [2, 3])]
const z = g.input('z', [2, 3, 2])
const feeds = {
  x: Float64Array.of(1, -2, 3, 0.5, 0, -1),
  y: Float64Array.of(2, 0.1, -1, 4, 1, 3),
  z: Float64Array.from({ length: 12 }, Math.cos),
}

/** The ops that are left of an expression. */
function opsOf(...tensors: g.Tensor[]): string[] {
  const outputs = Object.fromEntries(tensors.map((tensor, i) => [i, tensor]))
  return g.program({ name: 'simplified', outputs }).nodes.map(({ op }) => op)
}

describe('random expressions', () => {
  test('keep value and gradients; a second pass finds nothing', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { tensor, inputs, values } = expression(seeded(seed), 25)
        const gradients = g.gradients(g.sum(g.mul(tensor, tensor)), inputs)
        const outputs = Object.fromEntries([tensor, ...gradients].map((output, i) => [i, output]))
        const plain = g.program({ name: 'plain', outputs, simplify: false })
        const simplified = g.simplify(plain)
        expect(simplified.inputs).toEqual(plain.inputs)
        expect(simplified.nodes.length).toBeLessThanOrEqual(plain.nodes.length)
        expect(g.simplify(simplified)).toEqual(simplified)
        const bindings = { feeds: Object.fromEntries(plain.inputs.map(({ name }) => [name, values[name]])) }
        const expected = g.interpret(plain, bindings).outputs
        for (const program of [simplified, g.decompose(simplified, (op) => !g.ops[op].fused)]) {
          const actual = g.interpret(program, bindings).outputs
          for (const [name, { data }] of Object.entries(expected)) {
            data.forEach((value, i) =>
              expect(Math.abs(actual[name].data[i] - value)).toBeLessThan(1e-9 * (1 + Math.abs(value))),
            )
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  test('have the gradient that central differences give', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { tensor, inputs, values } = expression(seeded(seed), 12)
        const loss = g.mean(tensor)
        const slopes = g.evaluate(g.gradients(loss, inputs), values)
        const at = (t: number) => {
          const moved = inputs.map(({ attributes }) => [
            attributes.name,
            values[String(attributes.name)].map((v) => v + t),
          ])
          return g.evaluate(loss, { ...values, ...Object.fromEntries(moved) }).data[0]
        }
        const step = 1e-3
        const expected = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
        const actual = slopes.reduce((total, { data }) => total + Array.from(data).reduce((a, b) => a + b, 0), 0)
        expect(Math.abs(actual - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)))
      }),
      { numRuns: 150 },
    )
  })
})

describe('identities', () => {
  test.each<[string, g.Tensor]>([
    ['x + 0', g.add(x, 0)],
    ['0 + x', g.add(0, x)],
    ['x - 0', g.sub(x, g.fill(0, [2, 3]))],
    ['x · 1', g.mul(g.fill(1, [3]), x)],
    ['x / 1', g.div(x, 1)],
    ['-(-x)', g.neg(g.neg(x))],
    ['x · (3 - 2)', g.mul(x, g.sub(3, 2))],
    ['reshape there and back', g.reshape(g.reshape(x, [6]), [2, 3])],
    ['transpose there and back', g.transpose(g.transpose(x, [1, 0]), [1, 0])],
    ['all of x', g.slice(x, [0, 0], [2, 3])],
    ['no padding', g.pad(x, [0, 0], [0, 0])],
    ['concat of one', g.concat([x], 1)],
    ['stopGradient', g.stopGradient(x)],
    ['where true', g.where(g.constant([1], [], 'bool'), x, y)],
    ['where false', g.where(g.constant([0], [], 'bool'), y, x)],
    ['where both', g.where(g.greater(y, 0), x, x)],
    ['sum over nothing', g.sum(x, [])],
    ['maximum over nothing', g.max(x, [])],
  ])('%s is x', (_, tensor) => {
    expect(opsOf(tensor)).toEqual([])
    const simplified = g.program({ name: 'simplified', outputs: { tensor } })
    const { x, y } = feeds
    const used = Object.fromEntries(simplified.inputs.map(({ name }) => [name, { x, y }[name as 'x']]))
    expect(g.interpret(simplified, { feeds: used }).outputs.tensor.data).toEqual(x)
  })

  test.each<[string, g.Tensor, string[]]>([
    ['x + -y = x - y', g.add(x, g.neg(y)), ['sub']],
    ['-x + y = y - x', g.add(g.neg(x), y), ['sub']],
    ['x - -y = x + y', g.sub(x, g.neg(y)), ['add']],
    ['0 - x = -x', g.sub(0, x), ['neg']],
    ['-(x - y) = y - x', g.neg(g.sub(x, y)), ['sub']],
    ['-(3 · x) is one product', g.neg(g.mul(3, x)), ['constant', 'mul']],
    ['-(x · 3) is one product', g.neg(g.mul(x, 3)), ['constant', 'mul']],
    ['-(x + 3) stays', g.neg(g.add(x, 3)), ['constant', 'add', 'neg']],
    ['x · -1 = -x', g.mul(x, -1), ['neg']],
    ['-x · 3 is one product', g.mul(g.neg(x), 3), ['constant', 'mul']],
    ['2 · (3 · x) is one product', g.mul(2, g.mul(3, x)), ['constant', 'mul']],
    ['factors join', g.mul(g.mul(2, g.mul(x, 3)), -1), ['constant', 'mul']],
    ['a broadcast operand', g.mul(x, g.broadcastTo(g.sum(y), [2, 3])), ['sum', 'mul']],
    ['an op of broadcasts', g.exp(g.broadcastTo(g.sum(y), [2, 3])), ['sum', 'exp', 'broadcastTo']],
    ['broadcasts join', g.broadcastTo(g.broadcastTo(x, [4, 2, 3]), [5, 4, 2, 3]), ['broadcastTo']],
    ['a reshaped broadcast of one number', g.reshape(g.broadcastTo(g.sum(y), [2, 3]), [6]), ['sum', 'broadcastTo']],
    [
      'constants that would take more room folded',
      g.add(g.constant([1, 2, 3], [3, 1]), g.constant([4, 5, 6], [1, 3])),
      ['constant', 'constant', 'add'],
    ],
    ['reshapes join', g.reshape(g.reshape(x, [3, 2]), [6]), ['reshape']],
    ['transposes join', g.transpose(g.transpose(z, [2, 0, 1]), [2, 0, 1]), ['transpose']],
    ['moving an axis of 1', g.transpose(g.reshape(x, [2, 1, 3]), [1, 0, 2]), ['reshape']],
    [
      'transposes become flags',
      g.matmul(g.transpose(x, [1, 0]), g.transpose(g.transpose(y, [1, 0]), [1, 0])),
      ['matmul'],
    ],
    ['a transpose of the second operand becomes a flag', g.matmul(x, g.transpose(y, [1, 0])), ['matmul']],
    ['a transpose of each of a batch, too', g.matmul(g.transpose(z, [0, 2, 1]), z), ['matmul']],
    [
      'a transpose of other axes than the last two stays',
      g.matmul(g.transpose(z, [1, 0, 2]), g.transpose(z, [1, 2, 0])),
      ['transpose', 'transpose', 'matmul'],
    ],
    ['order does not matter', g.sub(g.exp(g.add(x, y)), g.exp(g.add(y, x))), ['add', 'exp', 'sub']],
    [
      'constants merge',
      g.add(g.mul(x, g.constant([1, 2, 3])), g.exp(g.constant([1, 2, 3]))),
      ['constant', 'mul', 'constant', 'add'],
    ],
    [
      'scatterAdd into zeros and add',
      g.add(x, g.scatterAdd(g.fill(0, [2, 3]), g.constant([0, 1], [2, 1], 'int'), g.fill(1, [2, 1]), 1)),
      ['constant', 'constant', 'broadcastTo', 'scatterAdd'],
    ],
  ])('%s', (_, tensor, expected) => {
    expect(opsOf(tensor)).toEqual(expected)
    const plain = g.program({ name: 'plain', outputs: { tensor }, simplify: false })
    const used = Object.fromEntries(plain.inputs.map(({ name }) => [name, feeds[name as 'x']]))
    // Up to the sign of zero.
    const valueOf = (program: g.Program) => g.interpret(program, { feeds: used }).outputs.tensor.data.map((v) => v + 0)
    expect(valueOf(g.simplify(plain))).toEqual(valueOf(plain))
  })

  test('zero and minus zero are different constants', () => {
    const both = g.program({ name: 'zeros', outputs: { a: g.reciprocal(0), b: g.reciprocal(-0) } })
    const { a, b } = g.interpret(both, {}).outputs
    expect([a.data[0], b.data[0]]).toEqual([Infinity, -Infinity])
  })

  test('a product with zero stays: it may be NaN', () => expect(opsOf(g.mul(x, 0))).toEqual(['constant', 'mul']))
})

describe('gradients make no detours', () => {
  const w = g.input('w', [4, 3])
  test('of a linear layer are two products without transposes', () => {
    const seed = g.input('seed', [2, 4])
    const derived = g.gradients(g.matmul(x, w, { transposeB: true, scale: 2 }), [x, w], seed)
    expect(opsOf(...derived)).toEqual(['matmul', 'matmul'])
  })

  test('of a batch times a matrix is one product of all rows', () => {
    const batch = g.input('batch', [5, 2, 3])
    const seed = g.input('seed', [5, 2, 4])
    const [derived] = g.gradients(g.matmul(batch, w, { transposeB: true }), [w], seed)
    expect(opsOf(derived).sort()).toEqual(['matmul', 'reshape', 'reshape'])
  })

  test('of headLogProbs merge with the decomposed forward pass', () => {
    const targets = g.input('targets', [2], 'int')
    const loss = g.neg(g.sum(g.headLogProbs(x, w, targets)))
    const [dx, dw] = g.gradients(loss, [x, w])
    const program = g.decompose(
      g.program({ name: 'head', outputs: { loss, dx, dw } }),
      (op) => op === 'logSoftmax' || !g.ops[op].fused,
    )
    const count = (op: string) => program.nodes.filter((node) => node.op === op).length
    expect([count('matmul'), count('logSoftmax'), count('exp')]).toEqual([3, 1, 1])
    // Only the subtraction of 1 touches [T,V]; the token weights scale [T,D].
    expect(program.nodes.filter(({ op, shape }) => op === 'mul' && shape[1] === 4)).toEqual([])
  })

  test('of swiglu merge into eight passes', () => {
    const value = g.swiglu(x, y)
    const derived = g.gradients(value, [x, y], g.input('seed', [2, 3]))
    const outputs = Object.fromEntries([value, ...derived].map((tensor, i) => [i, tensor]))
    const { nodes } = g.decompose(g.program({ name: 'swiglu', outputs }), (op) => !g.ops[op].fused)
    expect(nodes.length).toBe(8)
  })
})
