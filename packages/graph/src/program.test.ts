import { describe, expect, test } from 'vitest'
import * as g from './index.js'

const x = g.input('x', [2, 3])
const n = g.input('n', [2], 'int')
const mask = g.input('mask', [2], 'bool')
const w = g.input('w', [2, 3], 'float', 'state')
const start = g.input('start', [], 'int')

const refusal = (code: string) => expect.objectContaining({ name: 'GraphError', code: `COLLIMATE_GRAPH_${code}` })

describe('a program', () => {
  test('has the inputs that its outputs and updates depend on, each name once', () => {
    const again = g.input('x', [2, 3])
    const program = g.program({
      name: 'p',
      outputs: { y: g.add(x, again) },
      updates: [{ state: w, value: g.slice(x, [0, 0], [1, 3]), at: { axis: 0, start } }],
    })
    expect(program.inputs.map(({ name, role }) => `${role} ${name}`)).toEqual(['feed x', 'state w', 'feed start'])
    expect(program.updates).toEqual([{ state: 'w', value: expect.any(Number), at: { axis: 0, start: 'start' } }])
    expect(g.checkProgram(program)).toEqual(program)
  })

  test('is plain data', () => {
    const program = g.program({ name: 'p', outputs: { y: g.add(x, g.constant([1, 2, 3])) } })
    expect(structuredClone(program)).toEqual(program)
  })

  test('survives expressions that are thousands of ops deep', () => {
    let deep: g.Tensor = x
    for (let i = 0; i < 20000; i++) deep = g.sin(deep)
    const [dx] = g.gradients(g.sum(deep), [x])
    expect(g.program({ name: 'deep', outputs: { deep, dx } }).nodes.length).toBeGreaterThan(40000)
  })

  test.each<[string, string, () => unknown]>([
    ['one name for two inputs', 'INPUT', () => g.program({ name: 'p', outputs: { y: g.add(x, g.input('x', [3])) } })],
    ['an update of a feed', 'UPDATE', () => g.program({ name: 'p', updates: [{ state: x, value: x }] })],
    ['an update of a value', 'INPUT', () => g.program({ name: 'p', updates: [{ state: g.exp(w), value: x }] })],
    [
      'an update of another shape',
      'UPDATE',
      () => g.program({ name: 'p', updates: [{ state: w, value: g.sum(x, 0) }] }),
    ],
    [
      'an update of another dtype',
      'UPDATE',
      () => g.program({ name: 'p', updates: [{ state: w, value: g.cast(x, 'int') }] }),
    ],
    [
      'two updates of one state',
      'UPDATE',
      () =>
        g.program({
          name: 'p',
          updates: [
            { state: w, value: x },
            { state: w, value: w },
          ],
        }),
    ],
    [
      'an update along no axis',
      'UPDATE',
      () => g.program({ name: 'p', updates: [{ state: w, value: x, at: { axis: 2, start } }] }),
    ],
    [
      'an update at a state',
      'UPDATE',
      () =>
        g.program({
          name: 'p',
          updates: [{ state: w, value: x, at: { axis: 0, start: g.input('s', [], 'int', 'state') } }],
        }),
    ],
  ])('refuses %s', (_, code, make) => expect(make).toThrowError(refusal(code)))
})

describe('an op refuses', () => {
  test.each<[string, string, () => unknown]>([
    ['shapes that do not broadcast', 'SHAPE', () => g.add(x, g.input('y', [4]))],
    ['float with int', 'DTYPE', () => g.add(g.sum(x, 1), n)],
    ['a fraction beside an int', 'DTYPE', () => g.mul(n, 0.5)],
    ['bools as numbers', 'DTYPE', () => g.add(mask, mask)],
    ['functions of ints', 'DTYPE', () => g.exp(n)],
    ['logic on floats', 'DTYPE', () => g.not(x)],
    ['a condition that is not bool', 'DTYPE', () => g.where(x, x, x)],
    ['unequal inner dimensions', 'SHAPE', () => g.matmul(x, x)],
    ['a product of vectors', 'SHAPE', () => g.matmul(g.input('v', [3]), x)],
    ['batches that do not broadcast', 'SHAPE', () => g.matmul(g.input('a', [2, 1, 3]), g.input('b', [3, 3, 1]))],
    ['a reshape that does not fit', 'SHAPE', () => g.reshape(x, [4])],
    ['a reshape with -1 that does not fit', 'SHAPE', () => g.reshape(x, [4, -1])],
    ['a reshape with two -1', 'SHAPE', () => g.reshape(x, [-1, -1])],
    ['no permutation', 'SHAPE', () => g.transpose(x, [0, 0])],
    ['a broadcast to less', 'SHAPE', () => g.broadcastTo(x, [3])],
    ['a slice beyond the end', 'SHAPE', () => g.slice(x, [0, 0], [2, 4])],
    ['a slice of half of the axes', 'SHAPE', () => g.slice(x, [0], [1])],
    ['an empty concat', 'SHAPE', () => g.concat([], 0)],
    ['a concat of unlike shapes', 'SHAPE', () => g.concat([x, g.input('y', [2, 4])], 0)],
    ['negative padding', 'SHAPE', () => g.pad(x, [-1, 0], [0, 0])],
    ['float indices', 'DTYPE', () => g.gather(x, x)],
    ['indices of another shape', 'SHAPE', () => g.takeAlong(x, n, 1)],
    ['updates of another shape', 'SHAPE', () => g.scatterAdd(x, g.input('i', [2, 1], 'int'), x, 1)],
    ['an axis that is not there', 'AXIS', () => g.sum(x, 2)],
    ['the maximum of nothing', 'SHAPE', () => g.max(g.input('y', [0, 3]), 0)],
    ['the mean of nothing', 'SHAPE', () => g.mean(g.input('y', [0, 3]), 0)],
    ['more values than there are', 'SHAPE', () => g.sortDescending(x, 4)],
    ['a gain of another width', 'SHAPE', () => g.rmsNorm(x, g.input('gain', [2]), 1e-5)],
    ['softmax of a scalar', 'SHAPE', () => g.softmax(g.input('s', []))],
    ['a gate of another shape', 'SHAPE', () => g.swiglu(x, g.sum(x, 0))],
    ['an odd head size', 'SHAPE', () => g.rotary(g.input('q', [1, 1, 1, 3]), x, x, g.input('p', [1, 1], 'int'))],
    ['targets without rows', 'SHAPE', () => g.tokenLogProbs(x, g.input('t', [3], 'int'))],
    ['a head of another width', 'SHAPE', () => g.headLogProbs(x, g.input('head', [5, 2]), n)],
    ['a list of the wrong length', 'SHAPE', () => g.constant([1, 2], [3])],
    ['a fraction as int', 'DTYPE', () => g.constant([1.5], [1], 'int')],
    ['dimensions that are no counts', 'SHAPE', () => g.input('y', [-1])],
    ['dimensions that are not whole', 'SHAPE', () => g.iota(1.5)],
  ])('%s', (_, code, make) => {
    expect(make).toThrowError(refusal(code))
    expect(make).toThrowError(/^[\w ]+(\(|:)/)
  })
})

describe('gradients', () => {
  test('are zero where the loss does not depend on a tensor', () => {
    const other = g.input('other', [2])
    const [dx, dOther] = g.gradients(g.sum(g.mul(x, x)), [x, other])
    const values = { x: [1, 2, 3, 4, 5, 6] }
    expect(Array.from(g.evaluate(dx, values).data)).toEqual([2, 4, 6, 8, 10, 12])
    expect(Array.from(g.evaluate(dOther, values).data)).toEqual([0, 0])
  })

  test('stop at a tensor in the middle too', () => {
    const middle = g.exp(x)
    const [d] = g.gradients(g.sum(g.mul(middle, 3)), [middle])
    expect(Array.from(g.evaluate(d).data)).toEqual([3, 3, 3, 3, 3, 3])
  })

  test('add up over all uses', () => {
    const [d] = g.gradients(g.add(g.sum(g.mul(x, 2)), g.sum(g.gather(x, g.constant([1, 1, 1], [3], 'int')))), [x])
    expect(Array.from(g.evaluate(d).data)).toEqual([2, 2, 2, 5, 5, 5])
  })

  test.each<[string, string, () => unknown]>([
    ['a loss that is not a scalar', 'SHAPE', () => g.gradients(x, [x])],
    ['a seed of another shape', 'SHAPE', () => g.gradients(x, [x], g.input('seed', [3]))],
    ['an int loss', 'NO_GRADIENT', () => g.gradients(g.sum(n), [x])],
    ['a derivative for ints', 'NO_GRADIENT', () => g.gradients(g.sum(x), [n])],
    ['a way through an op without derivative', 'NO_GRADIENT', () => g.gradients(g.sum(g.sortDescending(x, 1)), [x])],
  ])('refuse %s', (_, code, make) => expect(make).toThrowError(refusal(code)))
})

describe('a program from elsewhere', () => {
  const good = g.program({ name: 'p', outputs: { y: g.softmax(g.add(x, 1)) } })
  const withNode = (change: Partial<g.ForeignProgram['nodes'][number]>) => ({
    ...good,
    nodes: good.nodes.map((node, i) => (i === good.nodes.length - 1 ? { ...node, ...change } : node)),
  })
  test.each<[string, g.ForeignProgram]>([
    ['an unknown op', withNode({ op: 'conv2d' })],
    ['a property of Object as op', withNode({ op: 'toString' })],
    ['a wrong shape', withNode({ shape: [3, 2] })],
    ['a wrong dtype', withNode({ dtype: 'int' })],
    ['a missing operand', withNode({ inputs: [] })],
    ['an operand that comes later', withNode({ inputs: [99] })],
    ['an output that does not exist', { ...good, outputs: [{ name: 'y', value: 99 }] }],
    ['an update without state', { ...good, updates: [{ state: 'w', value: 0 }] }],
  ])('is refused for %s', (_, program) => expect(() => g.checkProgram(program)).toThrowError(refusal('PROGRAM')))
})

describe('the interpreter refuses', () => {
  const program = g.program({ name: 'p', outputs: { y: g.gather(x, n) }, updates: [{ state: w, value: x }] })
  const feeds = { x: new Float64Array(6), n: Int32Array.of(0, 1) }
  const states = () => ({ w: { dtype: 'float' as const, shape: [2, 3], data: new Float64Array(6).fill(7) } })
  test.each<[string, string, g.Bindings]>([
    ['an unknown feed', 'FEED', { feeds: { ...feeds, z: new Float64Array(1) }, states: states() }],
    ['a missing feed', 'FEED', { feeds: { x: feeds.x }, states: states() }],
    ['a feed of another size', 'FEED', { feeds: { ...feeds, x: new Float64Array(5) }, states: states() }],
    ['a feed of another kind', 'FEED', { feeds: { ...feeds, n: Float64Array.of(0, 1) }, states: states() }],
    ['a missing state', 'STATE', { feeds }],
    ['an index outside', 'INDEX', { feeds: { ...feeds, n: Int32Array.of(0, 2) }, states: states() }],
    ['a negative index', 'INDEX', { feeds: { ...feeds, n: Int32Array.of(0, -1) }, states: states() }],
  ])('%s', (_, code, bindings) => {
    expect(() => g.interpret(program, bindings)).toThrowError(refusal(code))
    expect(Array.from(bindings.states?.w?.data ?? [7])).toEqual(bindings.states ? new Array(6).fill(7) : [7])
  })

  test('to decompose a primitive op', () => {
    expect(() => g.decompose(program, () => false)).toThrowError(refusal('UNSUPPORTED'))
  })
})
