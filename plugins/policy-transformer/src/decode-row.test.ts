import { expect, test } from 'vitest'
import { ageOf, append, readAgain, startRows } from './decode-row.js'

const stop = new Set([9])

test('rows with equal prompts have one content', () => {
  const prompts = [[1, 2], [1], [12], [1, 2], [1]].map((ids) => Int32Array.from(ids))
  expect(startRows(prompts, [1, 1, 1, 1, 1]).map(({ content }) => content)).toEqual([0, 1, 2, 0, 1])
})

test('a row ends at a stop token, or where it has got what it may', () => {
  const [stopped, cut, both] = startRows([Int32Array.of(1), Int32Array.of(1), Int32Array.of(1)], [5, 2, 2])
  for (const token of [4, 9]) append(stopped, token, -1, stop)
  for (const token of [4, 5]) append(cut, token, -1, stop)
  for (const token of [4, 9]) append(both, token, -1, stop)
  expect([stopped, cut, both].map(({ live, endedBy }) => [live, endedBy])).toEqual([
    [false, 'stop'],
    [false, 'length'],
    [false, 'stop'],
  ])
})

test('a row that enters again reads what it has, and goes on', () => {
  const [row] = startRows([Int32Array.of(1, 2)], [9])
  for (const token of [5, 6, 7]) append(row, token, -1, stop)
  expect(ageOf(row)).toBe(2)
  const again = readAgain(row)
  expect(again).toMatchObject({ number: 0, ids: Int32Array.of(1, 2, 5, 6, 7), before: 3, allowance: 9, live: true })
  append(again, 8, -1, stop)
  expect(ageOf(again)).toBe(0)
  append(again, 3, -1, stop)
  expect(readAgain(again)).toMatchObject({ ids: Int32Array.of(1, 2, 5, 6, 7, 8, 3), before: 5 })
  expect(again.tokens).toEqual([5, 6, 7, 8, 3])
})
