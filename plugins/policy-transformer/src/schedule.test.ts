import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entering, fittingSize, programPrompts, programRows, roundUp, savingOf, worthReadingAgain } from './schedule.js'

describe('entering', () => {
  const occupancy = fc
    .record({ rows: fc.integer({ min: 1, max: 70 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
    .chain(({ rows, share }) =>
      fc.record({
        rows: fc.constant(rows),
        live: fc.constant(Math.floor(rows * share)),
        waiting: fc.nat(100),
        idle: fc.nat(500),
      }),
    )

  test('takes no more than wait or have a free row', () => {
    fc.assert(
      fc.property(occupancy, (at) => {
        expect(entering(at)).toBeLessThanOrEqual(Math.min(at.waiting, at.rows - at.live))
        expect(entering(at)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('fills an empty batch at once, and takes all where all have a free row', () => {
    fc.assert(
      fc.property(occupancy, (at) => {
        expect(entering({ ...at, live: 0 })).toBe(Math.min(at.waiting, at.rows))
        if (at.waiting <= at.rows - at.live) expect(entering(at)).toBe(at.waiting)
      }),
    )
  })

  test('waits until the idle rows have cost as much as entering does', () => {
    expect(entering({ rows: 32, live: 25, waiting: 100, idle: 40 })).toBe(0)
    expect(entering({ rows: 32, live: 25, waiting: 100, idle: 48 })).toBe(4)
    expect(entering({ rows: 32, live: 32, waiting: 100, idle: 48 })).toBe(0)
    expect(entering({ rows: 32, live: 25, waiting: 8, idle: 40 })).toBe(0)
    expect(entering({ rows: 32, live: 25, waiting: 7, idle: 40 })).toBe(7)
  })
})

describe('fittingSize', () => {
  const need = fc
    .record({
      rows: fc.integer({ min: 1, max: 64 }),
      prompt: fc.integer({ min: 1, max: 300 }),
      most: fc.integer({ min: 1, max: 500 }),
      first: fc.integer({ min: 1, max: 128 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ share, ...rest }) => ({ ...rest, age: Math.floor((rest.most - 1) * share) }))

  test('has a column for every prompt token and for one more token of the oldest row', () => {
    fc.assert(
      fc.property(need, (needed) => {
        const { rows, capacity } = fittingSize(needed)
        expect(rows).toBe(needed.rows)
        expect(capacity).toBeGreaterThanOrEqual(needed.prompt + needed.age + 1)
        expect(capacity).toBeLessThanOrEqual(roundUp(needed.prompt + needed.most))
      }),
    )
  })

  test('gives a row that has filled its columns some more of them', () => {
    fc.assert(
      fc.property(need, (needed) => {
        const { capacity } = fittingSize(needed)
        const age = capacity - needed.prompt
        if (age >= needed.most) return
        expect(fittingSize({ ...needed, age }).capacity).toBeGreaterThan(capacity)
      }),
    )
  })
})

test('no more is read again than was decoded, times the growth that it spares', () => {
  const sizes = { size: { rows: 4, capacity: 100 }, larger: { rows: 4, capacity: 150 } }
  expect(worthReadingAgain({ decoded: 600, read: 300, ...sizes })).toBe(true)
  expect(worthReadingAgain({ decoded: 600, read: 301, ...sizes })).toBe(false)
})

test('a cache of more than half the size saves nothing that is worth a move', () => {
  const size = { rows: 32, capacity: 256 }
  expect(savingOf(size, { rows: 32, capacity: 160 })).toBe(0)
  expect(savingOf(size, { rows: 16, capacity: 256 })).toBe(0.5)
  expect(savingOf(size, { rows: 8, capacity: 128 })).toBe(0.875)
  expect(savingOf(size, { rows: 32, capacity: 320 })).toBe(0)
})

test('few shapes are compiled', () => {
  const sizes = new Set(Array.from({ length: 1024 }, (_, index) => roundUp(index + 1)))
  expect(sizes.size).toBeLessThanOrEqual(24)
  for (let size = 1; size <= 1024; size++) {
    expect(roundUp(size)).toBeGreaterThanOrEqual(size)
    expect(roundUp(size)).toBeLessThanOrEqual(Math.max(size + 7, size * 1.25))
  }
  expect(new Set(Array.from({ length: 48 }, (_, index) => programRows(index + 1, 48)))).toEqual(
    new Set([1, 2, 4, 8, 16, 32, 48]),
  )
  const prompts = [1, 3, 5, 8, 9, 13, 17, 33, 47].map((count) => programPrompts(count, 44))
  expect(prompts).toEqual([1, 3, 5, 8, 10, 14, 20, 40, 44])
})
