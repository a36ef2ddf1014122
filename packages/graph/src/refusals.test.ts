import { describe, expect, test } from 'vitest'
import * as g from './index.js'

// Each op with operands that fit, and every single way in which they do not.

const float = (...shape: number[]) => g.input(`float ${shape.join('·')}`, shape)
const int = (...shape: number[]) => g.input(`int ${shape.join('·')}`, shape, 'int')
const bool = (...shape: number[]) => g.input(`bool ${shape.join('·')}`, shape, 'bool')

const x = float(2, 3)
const q = float(2, 4, 3, 6)
const table = float(5, 3)
const positions = int(2, 3)

interface Op {
  readonly fits: readonly (() => g.Tensor)[]
  readonly SHAPE?: readonly (() => unknown)[]
  readonly DTYPE?: readonly (() => unknown)[]
}

const cases: Readonly<Record<string, Op>> = {
  div: { fits: [() => g.div(x, x)], DTYPE: [() => g.div(int(2), int(2))] },
  add: { fits: [() => g.add(x, x), () => g.add(int(2), int(2))], DTYPE: [() => g.add(x, int(2, 3))] },
  neg: { fits: [() => g.neg(int(2)), () => g.neg(x)], DTYPE: [() => g.neg(bool(2))] },
  abs: { fits: [() => g.abs(int(2))], DTYPE: [() => g.abs(bool(2))] },
  sign: { fits: [() => g.sign(int(2))], DTYPE: [() => g.sign(bool(2))] },
  log: { fits: [() => g.log(x)], DTYPE: [() => g.log(int(2)), () => g.log(bool(2))] },
  where: {
    fits: [() => g.where(bool(2, 1), x, float(3))],
    SHAPE: [() => g.where(bool(4), x, x), () => g.where(bool(2, 3), x, float(4))],
    DTYPE: [() => g.where(bool(2, 3), x, int(2, 3)), () => g.where(x, x, x)],
  },
  rotary: {
    fits: [() => g.rotary(q, table, table, positions)],
    SHAPE: [
      () => g.rotary(float(4, 3, 6), table, table, positions),
      () => g.rotary(float(2, 4, 3, 6, 1), table, table, positions),
      () => g.rotary(float(2, 4, 3, 7), table, table, positions),
      () => g.rotary(q, float(3), float(3), positions),
      () => g.rotary(q, float(5, 3, 1), table, positions),
      () => g.rotary(q, table, float(5, 3, 1), positions),
      () => g.rotary(q, float(5, 2), table, positions),
      () => g.rotary(q, table, float(5, 2), positions),
      () => g.rotary(q, table, float(4, 3), positions),
      () => g.rotary(q, table, table, int(2, 3, 1)),
      () => g.rotary(q, table, table, int(1, 3)),
      () => g.rotary(q, table, table, int(2, 1)),
    ],
    DTYPE: [
      () => g.rotary(int(2, 4, 3, 6), table, table, positions),
      () => g.rotary(q, int(5, 3), table, positions),
      () => g.rotary(q, table, int(5, 3), positions),
      () => g.rotary(q, table, table, float(2, 3)),
    ],
  },
  attend: {
    fits: [() => g.attend(float(2, 1), float(1, 4))],
    SHAPE: [() => g.attend(float(2, 0), float(0, 4)), () => g.attend(x, x)],
    DTYPE: [() => g.attend(int(2, 3), float(3, 4))],
  },
  gather: { fits: [() => g.gather(x, int(7))], DTYPE: [() => g.gather(x, float(7))] },
  takeAlong: {
    fits: [() => g.takeAlong(float(2, 3, 4), int(2, 9, 4), 1)],
    SHAPE: [
      () => g.takeAlong(float(2, 3, 4), int(1, 9, 4), 1),
      () => g.takeAlong(float(2, 3, 4), int(2, 9, 5), 1),
      () => g.takeAlong(x, int(2, 3, 1), 1),
    ],
    DTYPE: [() => g.takeAlong(x, x, 1)],
  },
  scatterAdd: {
    fits: [() => g.scatterAdd(x, int(2, 2), float(2, 2), 1), () => g.scatterAdd(int(2, 3), int(2, 2), int(2, 2), 1)],
    SHAPE: [
      () => g.scatterAdd(x, int(2, 2), float(2, 1), 1),
      () => g.scatterAdd(x, int(2, 2), float(2, 2, 1), 1),
      () => g.scatterAdd(x, int(1, 2), float(1, 2), 1),
    ],
    DTYPE: [() => g.scatterAdd(bool(2, 3), int(2, 2), bool(2, 2), 1), () => g.scatterAdd(x, int(2, 2), int(2, 2), 1)],
  },
  tokenLogProbs: {
    fits: [() => g.tokenLogProbs(x, int(2))],
    SHAPE: [
      () => g.tokenLogProbs(float(2, 3, 1), int(2)),
      () => g.tokenLogProbs(x, int(2, 1)),
      () => g.tokenLogProbs(x, int(3)),
    ],
    DTYPE: [() => g.tokenLogProbs(int(2, 3), int(2)), () => g.tokenLogProbs(x, float(2))],
  },
  headLogProbs: {
    fits: [() => g.headLogProbs(x, float(5, 3), int(2))],
    SHAPE: [
      () => g.headLogProbs(float(2, 3, 1), float(5, 3), int(2)),
      () => g.headLogProbs(x, float(5, 3, 1), int(2)),
      () => g.headLogProbs(x, float(5, 3), int(2, 1)),
      () => g.headLogProbs(x, float(5, 3), int(3)),
      () => g.headLogProbs(x, float(5, 4), int(2)),
    ],
    DTYPE: [
      () => g.headLogProbs(int(2, 3), float(5, 3), int(2)),
      () => g.headLogProbs(x, int(5, 3), int(2)),
      () => g.headLogProbs(x, float(5, 3), float(2)),
    ],
  },
  matmul: {
    fits: [() => g.matmul(x, float(3, 4))],
    SHAPE: [() => g.matmul(float(3), float(3, 4)), () => g.matmul(x, float(3)), () => g.matmul(float(3), float(3))],
    DTYPE: [() => g.matmul(int(2, 3), float(3, 4)), () => g.matmul(x, int(3, 4))],
  },
  softmax: {
    fits: [() => g.softmax(float(1))],
    SHAPE: [() => g.softmax(float(2, 0))],
    DTYPE: [() => g.softmax(int(2))],
  },
  layerNorm: {
    fits: [() => g.layerNorm(x, float(3), float(3), 1e-5)],
    SHAPE: [
      () => g.layerNorm(x, float(2), float(3), 1e-5),
      () => g.layerNorm(x, float(3), float(2), 1e-5),
      () => g.layerNorm(x, float(3, 1), float(3), 1e-5),
      () => g.layerNorm(x, float(3), float(3, 1), 1e-5),
    ],
    DTYPE: [
      () => g.layerNorm(int(2, 3), float(3), float(3), 1e-5),
      () => g.layerNorm(x, int(3), float(3), 1e-5),
      () => g.layerNorm(x, float(3), int(3), 1e-5),
    ],
  },
  max: {
    fits: [() => g.max(float(0, 3), 1)],
    SHAPE: [() => g.max(float(0, 3), [0, 1])],
    DTYPE: [() => g.max(bool(2))],
  },
  argmax: { fits: [() => g.argmax(float(0, 3), 1)], SHAPE: [() => g.argmax(float(0, 3), 0)] },
  logSumExp: { fits: [() => g.logSumExp(float(0, 3), 1)], SHAPE: [() => g.logSumExp(float(0, 3), 0)] },
  mean: { fits: [() => g.mean(float(0, 3), 1)], SHAPE: [() => g.mean(float(0, 3), 0), () => g.mean(float(0))] },
  sortDescending: {
    fits: [() => g.sortDescending(x, 0), () => g.sortDescending(x, 3)],
    SHAPE: [
      () => g.sortDescending(float(), 0),
      () => g.sortDescending(x, 1.5),
      () => g.sortDescending(x, -1),
      () => g.sortDescending(x, 4),
    ],
  },
  transpose: {
    fits: [() => g.transpose(x, [1, 0])],
    SHAPE: [() => g.transpose(x, [0, 1, 0]), () => g.transpose(x, [1]), () => g.transpose(x, [1, 2])],
  },
  slice: {
    fits: [() => g.slice(x, [0, 0], [2, 3]), () => g.slice(x, [1, 3], [1, 3])],
    SHAPE: [
      () => g.slice(x, [0, 0, 0], [2, 3]),
      () => g.slice(x, [0, 0], [2, 3, 1]),
      () => g.slice(x, [0], [2, 3]),
      () => g.slice(x, [0, 0], [2]),
      () => g.slice(x, [-1, 0], [2, 3]),
      () => g.slice(x, [2, 0], [1, 3]),
      () => g.slice(x, [0, 0], [3, 3]),
    ],
  },
  concat: {
    fits: [() => g.concat([x, float(5, 3)], 0)],
    SHAPE: [
      () => g.concat([x, float(3)], 0),
      () => g.concat([x, float(2, 3, 1)], 0),
      () => g.concat([x, float(2, 2)], 0),
    ],
    DTYPE: [() => g.concat([x, int(2, 3)], 0)],
  },
  pad: {
    fits: [() => g.pad(x, [0, 1], [1, 0])],
    SHAPE: [
      () => g.pad(x, [0], [1, 0]),
      () => g.pad(x, [0, 1], [1]),
      () => g.pad(x, [0, 0.5], [1, 0]),
      () => g.pad(x, [0, 1], [-1, 0]),
    ],
  },
  constant: {
    fits: [() => g.constant([0, 1], [2], 'bool'), () => g.constant([-1, 2], [1, 2], 'int')],
    SHAPE: [() => g.constant([1, 2, 3], [2]), () => g.constant(1, [2])],
    DTYPE: [
      () => g.constant([2], [1], 'bool'),
      () => g.constant([-1], [1], 'bool'),
      () => g.constant([0.5], [1], 'int'),
    ],
  },
}

describe.each(Object.entries(cases))('%s', (_, { fits, SHAPE = [], DTYPE = [] }) => {
  test('takes operands that fit', () => {
    for (const make of fits) expect(make()).toBeInstanceOf(g.Tensor)
  })

  test('refuses the others, and shows them', () => {
    for (const [code, wrong] of Object.entries({ SHAPE, DTYPE }))
      for (const make of wrong) {
        expect(make, String(make)).toThrowError(expect.objectContaining({ code: `COLLIMATE_GRAPH_${code}` }))
        expect(make, String(make)).toThrowError(/(float|int|bool)\[|value \d+ is/)
      }
  })
})

describe('gradients', () => {
  test('show the loss, and the seed, that do not fit', () => {
    const seed = float(4)
    expect(() => g.gradients(x, [x])).toThrowError(/^gradients\(float\[2,3\]\): the loss is not a scalar/)
    expect(() => g.gradients(x, [x], seed)).toThrowError(/^gradients\(float\[2,3\], float\[4\]\): the seed/)
  })
})
