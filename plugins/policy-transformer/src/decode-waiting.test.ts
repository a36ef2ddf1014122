import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startRows } from './decode-row.js'
import { waitingRows } from './decode-waiting.js'

const prompts = fc.array(
  fc.record({
    ids: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
    allowance: fc.integer({ min: 1, max: 99 }),
  }),
  { maxLength: 30 },
)

test('every row is taken once, longest first, equal prompts together; what is said of those who wait is true', () => {
  fc.assert(
    fc.property(prompts, fc.integer({ min: 1, max: 7 }), (given, stride) => {
      const rows = startRows(
        given.map(({ ids }) => Int32Array.from(ids)),
        given.map(({ allowance }) => allowance),
      )
      const order = waitingRows(rows).take(Infinity)
      expect([...order].sort((a, b) => a.number - b.number)).toEqual(rows)
      const contents = order.map(({ content }) => content)
      expect(contents.filter((content, at) => content !== contents[at - 1]).length).toBe(new Set(contents).size)
      const waiting = waitingRows(rows)
      for (let taken = 0; taken <= rows.length; taken += stride) {
        const rest = order.slice(taken)
        expect(waiting.count).toBe(rest.length)
        expect(waiting.longest).toBe(Math.max(0, ...rest.map(({ ids }) => ids.length)))
        expect(waiting.most).toBe(Math.max(0, ...rest.map(({ allowance }) => allowance)))
        expect(waiting.take(stride)).toEqual(rest.slice(0, stride))
      }
    }),
  )
})
