import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { Example } from '@collimate/core'
import { bucketSize } from './bucket.js'
import { forestBatch } from './forest.js'
import { microBatches } from './micro-batches.js'
import { packBestFit, packExamples } from './packing.js'
import { truncate } from './truncate.js'

const ids = (maxLength: number) =>
  fc.array(fc.integer({ min: 1, max: 99 }), { maxLength }).map((list) => Int32Array.from(list))

// What layouts mean is in the laws of @collimate/laws.
describe('forestBatch', () => {
  it('refuses inputs of the wrong size and micro-batches of no size', () => {
    const example = {
      index: 7,
      prompt: Int32Array.of(1),
      completions: [Int32Array.of(2)],
      text: { prompt: '', completions: [] },
      columns: {},
    }
    expect(() => forestBatch([example], { inputs: { x: { unit: 'sequences', values: () => [1, 2] } } })).toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_BATCH_INPUT_INVALID',
        message: expect.stringContaining('row 7') as string,
      }),
    )
    expect(() => microBatches([example], { microBatchSize: 0 })).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OPTION_INVALID' }),
    )
  })
})

describe('bucketSize', () => {
  test.prop([fc.integer({ min: 1, max: 1_000_000 })])(
    'is at least the size, monotone, its own bucket, and a quarter more at most',
    (size) => {
      const bucket = bucketSize(size)
      expect(bucket).toBeGreaterThanOrEqual(size)
      expect(bucketSize(bucket)).toBe(bucket)
      expect(bucketSize(size + 1)).toBeGreaterThanOrEqual(bucket)
      expect(bucket % 8).toBe(0)
      if (size > 64) expect(bucket).toBeLessThan(size * 1.25)
    },
  )

  it('gives few sizes', () => {
    expect(new Set(Array.from({ length: 1024 }, (_, at) => bucketSize(at + 1))).size).toBe(24)
  })
})

describe('packing', () => {
  test.prop([fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 20, max: 40 })])(
    'every item once, no bin overfull, no two bins that fit into one',
    (lengths, capacity) => {
      const bins = packBestFit(lengths, capacity)
      const used = bins.map((bin) => bin.reduce((sum, item) => sum + lengths[item], 0))
      expect(bins.flat().sort((a, b) => a - b)).toEqual(lengths.flatMap((length, item) => (length > 0 ? [item] : [])))
      used.forEach((sum, a) => {
        expect(sum).toBeLessThanOrEqual(capacity)
        used.forEach((other, b) => a < b && expect(sum + other).toBeGreaterThan(capacity))
      })
    },
  )

  it('keeps documents whole, with their prompts masked', () => {
    const document = (index: number, prompt: number[], completion: number[]): Example => ({
      index,
      prompt: Int32Array.from(prompt),
      completions: [Int32Array.from(completion)],
      text: { prompt: 'p', completions: ['c'] },
      columns: {},
    })
    const [pack] = packExamples([document(0, [1], [2]), document(1, [3, 4], [5])], 8)
    expect(pack).toMatchObject({ index: 1, text: { completions: ['pc', 'pc'] } })
    expect(pack?.completions.map((list) => Array.from(list))).toEqual([
      [3, 4, 5],
      [1, 2],
    ])
    expect(pack?.masks?.map((list) => Array.from(list))).toEqual([
      [0, 0, 1],
      [0, 1],
    ])
    expect(forestBatch([pack as Example]).targets.slice(0, 2)).toEqual(Int32Array.of(5, 2))
    expect(packExamples([document(0, [], [2, 3])], 8)[0]?.masks).toBeUndefined()
    expect(() => packExamples([document(0, [1], [2, 3])], 2)).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_PACKING_TOO_LONG' }),
    )
    const pair = { ...document(4, [1], [2]), completions: [Int32Array.of(1), Int32Array.of(2)] }
    expect(() => packExamples([pair], 8)).toThrow(expect.objectContaining({ code: 'COLLIMATE_PACKING_UNSUPPORTED' }))
  })
})

describe('truncate', () => {
  test.prop([ids(12), fc.array(ids(12), { maxLength: 3 }), fc.nat(20)])(
    'keeps one end, and no sequence is too long',
    (prompt, completions, maxLength) => {
      const masks = completions.map((completion) => Uint8Array.from(completion, (id) => id % 2))
      const start = truncate({ prompt, completions, masks }, maxLength, 'keep_start')
      const end = truncate({ prompt, completions, masks }, maxLength, 'keep_end')
      expect(truncate({ prompt, completions, masks }, null, 'keep_end')).toEqual({ prompt, completions, masks })
      for (const cut of [start, end]) {
        cut.completions.forEach((completion, at) => {
          expect(cut.prompt.length + completion.length).toBeLessThanOrEqual(maxLength)
          expect(Array.from(cut.masks?.[at] ?? [])).toEqual(Array.from(completion, (id) => id % 2))
        })
      }
      // As TRL slices prompt + completion; with several completions, keep_end cuts the one prompt for the longest.
      completions.forEach((completion, at) => {
        const whole = [...prompt, ...completion]
        expect([...start.prompt, ...(start.completions[at] ?? [])]).toEqual(whole.slice(0, maxLength))
        const kept = [...end.prompt, ...(end.completions[at] ?? [])]
        expect(kept).toEqual(kept.length === 0 ? [] : whole.slice(-kept.length))
        if (completions.length === 1) expect(kept.length).toBe(Math.min(whole.length, maxLength))
      })
    },
  )
})
