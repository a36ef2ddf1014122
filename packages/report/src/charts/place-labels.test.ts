import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boxOf, placeLabels } from './place-labels.js'

const frame = { width: 300, height: 200 }
const marks = fc.array(
  fc.record({
    x: fc.integer({ min: 0, max: 300 }),
    y: fc.integer({ min: 0, max: 200 }),
    radius: fc.constant(5),
    width: fc.constantFrom(0, 30, 60),
  }),
  { maxLength: 15 },
)

test('labels lie inside, on no mark, and on no other label', () => {
  fc.assert(
    fc.property(marks, (given) => {
      const placed = placeLabels(given, frame)
      const boxes = given.flatMap((mark, at) => (placed[at] === undefined ? [] : [boxOf(mark, placed[at])]))
      for (const [at, box] of boxes.entries()) {
        expect(box.left >= 0 && box.right <= frame.width && box.top >= 0 && box.bottom <= frame.height).toBe(true)
        for (const { x, y } of given) expect(x > box.left && x < box.right && y > box.top && y < box.bottom).toBe(false)
        for (const other of boxes.slice(0, at))
          expect(
            box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom,
          ).toBe(false)
      }
    }),
  )
})

test('a label alone stands to the right; one at the right edge to the left', () => {
  expect(placeLabels([{ x: 100, y: 100, radius: 5, width: 40 }], frame)).toEqual(['right'])
  expect(placeLabels([{ x: 290, y: 100, radius: 5, width: 40 }], frame)).toEqual(['left'])
})
