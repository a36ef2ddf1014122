import { expect, test } from 'vitest'
import fc from 'fast-check'
import type { Example } from './contracts/data-source.js'
import { orderedData, stepsOf } from './training-data.js'

const source = {
  read: async ({ indices }: { indices: readonly number[] }) =>
    indices.map((index): Example => ({
      ...{ index, prompt: new Int32Array(), completions: [], text: { prompt: '', completions: [] }, columns: {} },
    })),
}
const infoOf = (length: number) => ({ train: { length, fingerprint: 'f' }, dropped: {} })

test('law: each epoch is a permutation, batches end with it, and a cursor goes on where it was taken', async () => {
  await fc.assert(
    fc.asyncProperty(
      ...([
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 15 }),
        fc.boolean(),
        fc.nat(),
        fc.nat(8),
      ] as const),
      async (length, batchSize, shuffle, seed, stop) => {
        const perEpoch = Math.ceil(length / batchSize)
        const take = async (consumed: number, batches: number) => {
          const data = orderedData(source, infoOf(length), { seed, shuffle, consumed })
          const taken: number[][] = []
          for (let i = 0; i < batches; i++) taken.push((await data.next(batchSize)).map(({ index }) => index))
          return { taken, consumed: data.consumed() }
        }
        const { taken, consumed } = await take(0, 3 * perEpoch)
        expect(consumed).toBe(3 * length)
        for (let epoch = 0; epoch < 3; epoch++) {
          const indices = taken.slice(epoch * perEpoch, (epoch + 1) * perEpoch).flat()
          const sorted = [...indices].sort((a, b) => a - b)
          expect(sorted).toEqual(Array.from({ length }, (_, i) => i))
          if (!shuffle) expect(indices).toEqual(sorted)
        }
        const before = Math.min(stop, taken.length)
        const part = await take(0, before)
        expect((await take(part.consumed, taken.length - before)).taken).toEqual(taken.slice(before))
      },
    ),
  )
})

test('what is outside is refused', async () => {
  const data = orderedData(source, infoOf(3), { seed: 1, shuffle: false, consumed: 0 })
  for (const count of [0, -1, 1.5, Number.NaN])
    await expect(data.next(count)).rejects.toMatchObject({ code: 'COLLIMATE_DATA_RANGE' })
  for (const index of [-1, 3, 0.5])
    await expect(data.read('train', [index])).rejects.toMatchObject({ code: 'COLLIMATE_DATA_RANGE' })
  await expect(data.read('evaluation', [0])).rejects.toMatchObject({ code: 'COLLIMATE_DATA_RANGE' })
})

test.each([
  [{ steps: 7 }, 10, 4, 7],
  [{ epochs: 1 }, 10, 4, 3],
  [{ epochs: 3 }, 10, 4, 9],
  [{ epochs: 0.5 }, 10, 4, 2],
  [{ epochs: 1 }, 3, 8, 1],
])('%j over %i rows in batches of %i is %i steps', (length, rows, batchSize, expected) => {
  expect(stepsOf(length, rows, batchSize)).toBe(expected)
})
