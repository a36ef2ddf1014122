import { argmax, gather, input, program, reshape, takeAlong } from '@collimate/graph'
import { expect, test } from 'vitest'
import { compileProgram } from './compile.js'
import { checkIndices, indexFeeds } from './indices.js'

const table = input('table', [5, 3])
const index = input('index', [2], 'int')

test('an index that is a feed is found through reshapes, and checked against its axis', () => {
  const found = indexFeeds(program({ name: 'p', outputs: { y: gather(table, reshape(index, [1, 2])) } }))
  expect(found).toEqual([{ feed: 'index', op: 'gather', length: 5 }])
  for (const right of [
    [0, 4],
    [-5, -1],
  ])
    checkIndices('p', found, { index: Int32Array.from(right) })
  for (const wrong of [5, -6, 2 ** 31 - 1])
    expect(() => checkIndices('p', found, { index: Int32Array.of(0, wrong) })).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_GRAPH_INDEX' }) as Error,
    )
})

test('an index that the program computes is held inside its table on cuda alone', () => {
  const best = reshape(argmax(table, 1), [5, 1])
  const computed = program({ name: 'p', outputs: { y: takeAlong(table, best, 1) } })
  expect(indexFeeds(computed)).toEqual([])
  const size = (device: 'cpu' | 'cuda' | 'webgpu') =>
    compileProgram(computed, new Map(), () => new Map(), device).model?.byteLength ?? 0
  expect(size('cuda')).toBeGreaterThan(size('cpu'))
  expect(size('webgpu')).toBe(size('cpu'))
})
