import { describe, expect, test } from 'vitest'
import * as g from './index.js'

const numbersOf = (tensor: g.Tensor): number[] => [...g.evaluate(tensor, {}).data]

describe('constants', () => {
  test.each<[string, () => g.Tensor, string, number[]]>([
    ['a number', () => g.constant(2.5), 'float', [2.5]],
    ['a list of numbers', () => g.constant([1, 2.5]), 'float', [1, 2.5]],
    ['float32', () => g.constant(Float32Array.of(0.5, 2)), 'float', [0.5, 2]],
    ['float64', () => g.constant(Float64Array.of(0.1)), 'float', [0.1]],
    ['int32', () => g.constant(Int32Array.of(-3, 4)), 'int', [-3, 4]],
    ['uint8', () => g.constant(Uint8Array.of(0, 1)), 'bool', [0, 1]],
    ['ints as floats', () => g.constant(Int32Array.of(7), [1], 'float'), 'float', [7]],
    ['a list as ints', () => g.constant([-300, 2], [2], 'int'), 'int', [-300, 2]],
    ['a list as bools', () => g.constant([1, 0], [2], 'bool'), 'bool', [1, 0]],
    ['iota', () => g.iota(4), 'int', [0, 1, 2, 3]],
    ['fill', () => g.fill(3, [2], 'int'), 'int', [3, 3]],
  ])('%s', (_, make, dtype, values) => {
    const tensor = make()
    expect(tensor.dtype).toBe(dtype)
    expect(numbersOf(tensor)).toEqual(values)
  })

  test('are copies: what the caller does with an array afterwards changes nothing', () => {
    for (const data of [Float64Array.of(1, 2), Int32Array.of(1, 2)]) {
      const tensor = g.constant(data)
      data.fill(9)
      expect(numbersOf(tensor)).toEqual([1, 2])
    }
  })
})

describe('conversions', () => {
  const [floats, ints] = [g.constant([-1.75, 0, 2.25]), g.constant(Int32Array.of(-1, 0, 5))]
  test.each<[string, () => g.Tensor, number[]]>([
    ['floats to ints are truncated', () => g.cast(floats, 'int'), [-1, 0, 2]],
    ['floats to bools', () => g.cast(floats, 'bool'), [1, 0, 1]],
    ['ints to floats', () => g.cast(ints, 'float'), [-1, 0, 5]],
    ['ints to bools', () => g.cast(ints, 'bool'), [1, 0, 1]],
  ])('%s', (_, make, values) => expect(numbersOf(make())).toEqual(values))

  test('to what it is already: the same tensor', () => expect(g.cast(floats, 'float')).toBe(floats))
})

describe('what is left out', () => {
  const cube = g.constant([3, 1, 2, 9, 7, 8, 4, 6, 5, 0, 2, 1], [2, 2, 3])
  test.each<[string, () => g.Tensor, readonly number[], number[]]>([
    ['argmax: the last axis', () => g.argmax(cube), [2, 2], [0, 0, 1, 1]],
    ['cumsum: from the front', () => g.cumsum(g.constant([1, 2, 3]), 0), [3], [1, 3, 6]],
    ['sum: without the axis', () => g.sum(cube, 2), [2, 2], [6, 24, 15, 3]],
    ['mean: without the axis', () => g.mean(cube, 2), [2, 2], [2, 8, 5, 1]],
    ['max: without the axis', () => g.max(cube, 2), [2, 2], [3, 9, 6, 2]],
    ['logSumExp: the last axis', () => g.logSumExp(g.fill(0, [2, 4])), [2], [Math.log(4), Math.log(4)]],
  ])('%s', (_, make, shape, values) => {
    const tensor = make()
    expect(tensor.shape).toEqual(shape)
    numbersOf(tensor).forEach((value, i) => expect(value).toBeCloseTo(values[i], 12))
  })

  test('powers: a square is a product, the first power the tensor itself, the zeroth has the derivative 0 everywhere', () => {
    const x = g.input('x', [3])
    expect(g.pow(x, 1)).toBe(x)
    expect([...g.evaluate(g.square(x), { x: [-3, 0, 2] }).data]).toEqual([9, 0, 4])
    const [slope] = g.gradients(g.sum(g.pow(x, 0)), [x])
    expect([...g.evaluate(slope, { x: [-3, 0, 2] }).data]).toEqual([0, 0, 0])
  })
})

describe('normalisation of a single vector', () => {
  test.each([
    ['rmsNorm', (x: g.Tensor, gain: g.Tensor) => g.rmsNorm(x, gain, 1e-5)],
    ['layerNorm', (x: g.Tensor, gain: g.Tensor) => g.layerNorm(x, gain, gain, 1e-5)],
  ] as const)('%s has the derivative that it has as a row', (_, norm) => {
    const [x, gain, weights] = [g.input('x', [3]), g.input('gain', [3]), g.constant([0.3, -1, 2])]
    const feeds = { x: [1, -0.5, 2], gain: [0.5, 1.5, -1] }
    const vector = g.gradients(g.sum(g.mul(norm(x, gain), weights)), [x, gain])
    const row = g.gradients(g.sum(g.mul(norm(g.reshape(x, [1, 3]), gain), weights)), [x, gain])
    const [found, expected] = [g.evaluate(vector, feeds), g.evaluate(row, feeds)]
    found.forEach(({ data }, k) => data.forEach((value, i) => expect(value).toBeCloseTo(expected[k].data[i], 12)))
  })
})

test('a batch times a matrix is one product of all rows; what is no batch stays as it is', () => {
  const opsOf = (tensor: g.Tensor): string[] => g.program({ name: 'p', outputs: { tensor } }).nodes.map(({ op }) => op)
  const [batch, flat, matrix] = [g.input('batch', [5, 2, 3]), g.input('flat', [2, 3]), g.input('matrix', [3, 4])]
  expect(opsOf(g.matmul(batch, matrix))).toEqual(['reshape', 'matmul', 'reshape'])
  expect(g.matmul(flat, matrix).op).toBe('matmul')
  expect(g.matmul(batch, g.input('others', [5, 3, 4])).op).toBe('matmul')
})

test('rotary turns each row of a batch by its own positions', () => {
  const angles = (f: (angle: number) => number) =>
    g.constant(
      [0, 1, 2, 3].flatMap((position) => [f(position), f(position / 10)]),
      [4, 2],
    )
  const values = Array.from({ length: 2 * 2 * 3 * 4 }, (_, i) => Math.sin(i))
  const turned = (positions: number[], from: number, rows: number) =>
    numbersOf(
      g.rotary(
        g.constant(values.slice(from, from + rows * 24), [rows, 2, 3, 4]),
        angles(Math.cos),
        angles(Math.sin),
        g.constant(positions, [rows, 3], 'int'),
      ),
    )
  const both = turned([0, 1, 2, 3, 2, 0], 0, 2)
  expect(both).toEqual([...turned([0, 1, 2], 0, 1), ...turned([3, 2, 0], 24, 1)])
})
