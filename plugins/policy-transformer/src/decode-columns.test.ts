import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterStep, emptyColumns, inLarger, inSmaller, visibility, withPrompt } from './decode-columns.js'
import type { Columns } from './decode-columns.js'

const seen = (scores: Float32Array): number[] => [...scores.keys()].filter((column) => scores[column] === 0)
const stepped = (columns: Columns, steps: number): Columns =>
  Array.from({ length: steps }).reduce<Columns>((before) => afterStep(before), columns)

test('a step writes the column that was written longest ago, and a row sees its prompt and its own steps', () => {
  const columns = emptyColumns(8, 3)
  expect(columns.ring).toEqual([3, 4, 5, 6, 7])
  const later = stepped(columns, 7)
  expect(later.ring).toEqual([5, 6, 7, 3, 4])
  const scores = visibility([{ prompt: 2, age: 3 }, undefined, { prompt: 1, age: 0 }], later)
  expect(seen(scores.subarray(0, 8))).toEqual([0, 1, 3, 4, 7])
  expect(seen(scores.subarray(8, 16))).toEqual([])
  expect(seen(scores.subarray(16))).toEqual([0])
  expect(scores[8]).toBeLessThan(-1e8)
})

test('every column beyond the prompts is in the ring once, after any changes', () => {
  const change = fc.constantFrom('step', 'prompt', 'larger', 'smaller')
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      let columns = emptyColumns(40, 20)
      for (const kind of changes) {
        const capacity = columns.prompt + columns.ring.length
        const prompt = Math.max(1, columns.prompt - 2)
        if (kind === 'step') columns = afterStep(columns)
        if (kind === 'prompt') columns = withPrompt(columns, prompt)
        if (kind === 'larger') columns = inLarger(columns, capacity + 5)
        if (kind === 'smaller' && capacity > prompt + 6)
          columns = inSmaller(columns, { prompt, age: 2, capacity: capacity - 4 }).columns
        const places = columns.ring.map((_, at) => columns.prompt + at)
        expect([...columns.ring].sort((a, b) => a - b)).toEqual(places)
      }
    }),
  )
})

test('new columns are written before old ones are written again', () => {
  const columns = stepped(emptyColumns(8, 3), 2)
  expect(inLarger(columns, 10).ring).toEqual([8, 9, 5, 6, 7, 3, 4])
  expect(withPrompt(columns, 1).ring).toEqual([1, 2, 5, 6, 7, 3, 4])
})

test('a smaller cache holds prompts and the newest columns', () => {
  const columns = stepped(emptyColumns(12, 4), 10)
  const { columns: smaller, taken } = inSmaller(columns, { prompt: 2, age: 3, capacity: 8 })
  expect([...taken]).toEqual([0, 1, 11, 4, 5, 0, 0, 0])
  expect(smaller).toEqual({ prompt: 2, ring: [5, 6, 7, 2, 3, 4] })
})
