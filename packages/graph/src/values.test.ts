import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluate, type HostTensor, type OpName, type Shape, sizeOf, stridesOf } from './index.js'
import type { ActivationAttributes } from './ops/activation.js'
import type { ElementwiseAttributes } from './ops/elementwise.js'
import { sampleOp } from './samples/op-samples.js'
import { seeded } from './samples/seeded.js'
import type { Tensor } from './tensor.js'

// Definitions from the books, one element at a time: slow, and with nothing in common with the loops that they judge.

type Index = readonly number[]
type Definition = (inputs: readonly HostTensor[], tensor: Tensor, index: Index) => number

/** The element at an index under broadcasting: missing leading axes are dropped, axes of 1 repeat. */
function at({ shape, data }: HostTensor, index: Index): number {
  const strides = stridesOf(shape)
  const own = index.slice(index.length - shape.length)
  return data[own.reduce((offset, i, axis) => offset + (shape[axis] === 1 ? 0 : i) * strides[axis], 0)]
}

function indicesOf(shape: Shape): Index[] {
  const strides = stridesOf(shape)
  return Array.from({ length: sizeOf(shape) }, (_, n) =>
    shape.map((size, axis) => Math.floor(n / strides[axis]) % size),
  )
}

const withAt = (index: Index, axis: number, value: number): Index => index.map((i, d) => (d === axis ? value : i))
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const attribute = <T>(tensor: Tensor, name: string): T => tensor.attributes[name] as T

/** All elements of x that a reduction over `axes` sends to `index`. */
function reducedOver(x: HostTensor, tensor: Tensor, index: Index): number[] {
  const axes = attribute<number[]>(tensor, 'axes')
  const keepDims = attribute<boolean>(tensor, 'keepDims')
  const key = (full: Index) =>
    full.map((i, d) => (axes.includes(d) ? 0 : i)).filter((_, d) => keepDims || !axes.includes(d))
  return indicesOf(x.shape)
    .filter((full) => key(full).join() === index.join())
    .map((full) => at(x, full))
}

/** The row of x along `axis` through an index. */
const line = (x: HostTensor, index: Index, axis: number): number[] =>
  range(x.shape[axis]).map((i) => at(x, withAt(index, axis, i)))

const softmaxOf = (row: readonly number[]): number[] => row.map((value) => Math.exp(value) / total(row.map(Math.exp)))
const last = (index: Index): number => index[index.length - 1]
const rowOf = (x: HostTensor, index: Index): number[] => line(x, index, x.shape.length - 1)

/** The inner product of a row of op(a) and a column of op(b). */
function product([a, b]: readonly HostTensor[], tensor: Tensor, index: Index): number {
  const [batch, i, j] = [index.slice(0, -2), index[index.length - 2], last(index)]
  const transposeA = attribute<boolean>(tensor, 'transposeA')
  const transposeB = attribute<boolean>(tensor, 'transposeB')
  const inner = a.shape[a.shape.length - (transposeA ? 2 : 1)]
  const term = (k: number) =>
    at(a, [...batch, ...(transposeA ? [k, i] : [i, k])]) * at(b, [...batch, ...(transposeB ? [j, k] : [k, j])])
  return attribute<number>(tensor, 'scale') * total(range(inner).map(term))
}

function normalized(row: readonly number[], i: number, epsilon: number, centered: boolean): number {
  const mean = centered ? total(row) / row.length : 0
  return (row[i] - mean) / Math.sqrt(total(row.map((value) => (value - mean) ** 2)) / row.length + epsilon)
}

/** Ops whose value is one call of a scalar function: their derivative laws judge them, and numerics.test.ts. */
type Scalar = keyof ElementwiseAttributes | keyof ActivationAttributes | 'constant' | 'stopGradient'

const definitions: Record<Exclude<OpName, Scalar>, Definition> = {
  add: ([a, b], _, i) => at(a, i) + at(b, i),
  sub: ([a, b], _, i) => at(a, i) - at(b, i),
  mul: ([a, b], _, i) => at(a, i) * at(b, i),
  div: ([a, b], _, i) => at(a, i) / at(b, i),
  maximum: ([a, b], _, i) => (at(a, i) > at(b, i) ? at(a, i) : at(b, i)),
  minimum: ([a, b], _, i) => (at(a, i) < at(b, i) ? at(a, i) : at(b, i)),
  equal: ([a, b], _, i) => Number(at(a, i) === at(b, i)),
  notEqual: ([a, b], _, i) => Number(at(a, i) !== at(b, i)),
  less: ([a, b], _, i) => Number(at(a, i) < at(b, i)),
  lessEqual: ([a, b], _, i) => Number(at(a, i) <= at(b, i)),
  greater: ([a, b], _, i) => Number(at(a, i) > at(b, i)),
  greaterEqual: ([a, b], _, i) => Number(at(a, i) >= at(b, i)),
  and: ([a, b], _, i) => at(a, i) & at(b, i),
  or: ([a, b], _, i) => at(a, i) | at(b, i),
  not: ([x], _, i) => 1 - at(x, i),
  where: ([c, a, b], _, i) => (at(c, i) === 1 ? at(a, i) : at(b, i)),
  cast: ([x], t, i) =>
    t.dtype === 'int' ? Math.trunc(at(x, i)) : t.dtype === 'bool' ? Number(at(x, i) !== 0) : at(x, i),
  reshape: ([x], t, i) => x.data[indicesOf(t.shape).findIndex((other) => other.join() === i.join())],
  transpose: ([x], t, i) =>
    at(
      x,
      x.shape.map((_, axis) => i[attribute<number[]>(t, 'permutation').indexOf(axis)]),
    ),
  broadcastTo: ([x], _, i) => at(x, i),
  slice: ([x], t, i) =>
    at(
      x,
      i.map((value, axis) => value + attribute<number[]>(t, 'starts')[axis]),
    ),
  pad: ([x], t, i) => {
    const inside = i.map((value, axis) => value - attribute<number[]>(t, 'before')[axis])
    return inside.every((value, axis) => value >= 0 && value < x.shape[axis])
      ? at(x, inside)
      : attribute<number>(t, 'value')
  },
  concat: (xs, t, i) => {
    const axis = attribute<number>(t, 'axis')
    let k = i[axis]
    for (const x of xs) {
      if (k < x.shape[axis]) return at(x, withAt(i, axis, k))
      k -= x.shape[axis]
    }
    return NaN
  },
  gather: ([table, indices], t, i) => {
    const axis = attribute<number>(t, 'axis')
    const end = axis + indices.shape.length
    return at(table, [...i.slice(0, axis), at(indices, i.slice(axis, end)), ...i.slice(end)])
  },
  takeAlong: ([x, indices], t, i) => at(x, withAt(i, attribute<number>(t, 'axis'), at(indices, i))),
  scatterAdd: ([x, indices, updates], t, i) => {
    const axis = attribute<number>(t, 'axis')
    const hits = indicesOf(indices.shape).filter((from) => withAt(from, axis, at(indices, from)).join() === i.join())
    return at(x, i) + total(hits.map((from) => at(updates, from)))
  },
  sum: ([x], t, i) => total(reducedOver(x, t, i)),
  max: ([x], t, i) => Math.max(...reducedOver(x, t, i)),
  argmax: ([x], t, i) => {
    const axis = attribute<number>(t, 'axis')
    const row = line(x, [...i.slice(0, axis), 0, ...i.slice(axis)], axis)
    return row.indexOf(Math.max(...row))
  },
  cumsum: ([x], t, i) => {
    const axis = attribute<number>(t, 'axis')
    const row = line(x, i, axis)
    return total(attribute<boolean>(t, 'reverse') ? row.slice(i[axis]) : row.slice(0, i[axis] + 1))
  },
  sortDescending: ([x], _, i) => rowOf(x, i).sort((a, b) => b - a)[last(i)],
  logSumExp: ([x], t, i) => {
    const axis = attribute<number>(t, 'axis')
    return Math.log(total(line(x, [...i.slice(0, axis), 0, ...i.slice(axis)], axis).map(Math.exp)))
  },
  matmul: product,
  softmax: ([x], _, i) => softmaxOf(rowOf(x, i))[last(i)],
  logSoftmax: ([x], _, i) => Math.log(softmaxOf(rowOf(x, i))[last(i)]),
  rmsNorm: ([x, gain], t, i) => normalized(rowOf(x, i), last(i), attribute(t, 'epsilon'), false) * gain.data[last(i)],
  layerNorm: ([x, gain, bias], t, i) =>
    normalized(rowOf(x, i), last(i), attribute(t, 'epsilon'), true) * gain.data[last(i)] + bias.data[last(i)],
  // As complex numbers: (x1 + i x2) times (cos + i sin).
  rotary: ([x, cosTable, sinTable, positions], _, [b, h, s, i]) => {
    const half = x.shape[3] / 2
    const angle = [at(positions, [b, s]), i % half]
    const [re, im] = [at(x, [b, h, s, i % half]), at(x, [b, h, s, (i % half) + half])]
    const [c, n] = [at(cosTable, angle), at(sinTable, angle)]
    return i < half ? re * c - im * n : re * n + im * c
  },
  attend: ([scores, values], _, index) => {
    const [batch, q, d] = [index.slice(0, -2), index[index.length - 2], last(index)]
    const weights = softmaxOf(range(scores.shape[scores.shape.length - 1]).map((k) => at(scores, [...batch, q, k])))
    return total(weights.map((weight, k) => weight * at(values, [...batch, k, d])))
  },
  tokenLogProbs: ([logits, targets], _, [t]) => Math.log(softmaxOf(rowOf(logits, [t, 0]))[targets.data[t]]),
  headLogProbs: ([hidden, head, targets], tensor, [t]) => {
    const logit = (v: number) =>
      attribute<number>(tensor, 'scale') * total(rowOf(hidden, [t, 0]).map((h, d) => h * at(head, [v, d])))
    return Math.log(softmaxOf(range(head.shape[0]).map(logit))[targets.data[t]])
  },
}

describe.each(Object.entries(definitions))('%s', (op, definition) => {
  test('equals its definition', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { tensor, values } = sampleOp(op as OpName, seeded(seed))
        fc.pre(tensor.op === op)
        const { shape, data } = evaluate(tensor, values)
        const inputs = evaluate(tensor.inputs, values)
        expect(shape).toEqual(tensor.shape)
        indicesOf(shape).forEach((index, n) => {
          const expected = definition(inputs, tensor, index)
          expect(Math.abs(data[n] - expected)).toBeLessThan(1e-12 * (1 + Math.abs(expected)))
        })
      }),
      { numRuns: 30 },
    )
  })
})
