import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { Example, ForestBatch } from '@collimate/core'
import { bucketSize } from './bucket.js'
import { forestBatch, sumBySequence } from './forest.js'
import type { Layout } from './forest.js'
import { microBatches } from './micro-batches.js'
import { packBestFit, packExamples } from './packing.js'
import { scoredTokens } from './scored-tokens.js'
import { truncate } from './truncate.js'

const ids = (maxLength: number, minLength = 0) =>
  fc.array(fc.integer({ min: 1, max: 99 }), { minLength, maxLength }).map((list) => Int32Array.from(list))

/** Examples with up to three completions, some masked, some without a prompt. */
const examples = fc.array(
  fc
    .record({
      index: fc.nat(99),
      prompt: ids(6),
      completions: fc.array(ids(5, 1), { maxLength: 3 }),
      masked: fc.boolean(),
      bits: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    })
    .map(({ masked, bits, ...parts }): Example => ({
      ...parts,
      ...(masked && {
        masks: parts.completions.map((completion) => Uint8Array.from(completion, (_, at) => (bits[at] ? 1 : 0))),
      }),
      text: { prompt: '', completions: [] },
      columns: {},
    })),
  { minLength: 1, maxLength: 5 },
)
const layouts: Layout[] = ['shared', 'separate', 'packed']

/** What a scored token is computed from: target, sequence, and all tokens that its source sees, with their positions. */
function scoredContexts(batch: ForestBatch): string[] {
  return Array.from(batch.sources.entries())
    .filter(([token]) => batch.tokenMask[token] === 1)
    .map(([token, source]) => {
      const row = Math.floor(source / batch.width) * batch.width
      const segment = batch.segments[source]
      const seen: string[] = []
      for (let at = row; at <= source; at++) {
        const other = batch.segments[at]
        if (other !== -1 && (other === segment || other === batch.prompts[source]))
          seen.push(`${batch.positions[at]}:${batch.tokens[at]}`)
      }
      return `${batch.sequences[token]} → ${batch.targets[token]} | ${seen.join(' ')}`
    })
}

describe('forestBatch', () => {
  test.prop([examples, fc.nat(24)])(
    'every layout scores the same tokens in the same contexts: the sequence so far',
    (list, width) => {
      let sequence = 0
      const expected = list.flatMap((example) =>
        example.completions.flatMap((completion, at) => {
          const whole = [...example.prompt, ...completion]
          const lines = scoredTokens(example, at).map((token) => {
            const before = example.prompt.length + token
            return `${sequence} → ${whole[before]} | ${whole
              .slice(0, before)
              .map((id, position) => `${position}:${id}`)
              .join(' ')}`
          })
          sequence += 1
          return lines
        }),
      )
      for (const layout of layouts) {
        for (const bucket of [false, true]) {
          const batch = forestBatch(list, { layout, bucket, width })
          expect(scoredContexts(batch)).toEqual(expected)
          expect(batch.sequenceCount).toBe(sequence)
          expect(batch.tokenCount).toBe(batch.segments.filter((segment) => segment !== -1).length)
          expect(batch.tokens.length).toBe(batch.rows * batch.width)
        }
      }
    },
  )

  test.prop([examples])(
    'rows: one an example (shared), one a completion (separate), never more than examples (packed)',
    (list) => {
      expect(forestBatch(list).rows).toBe(list.length)
      expect(forestBatch(list, { layout: 'separate' }).rows).toBe(
        list.reduce((sum, { completions }) => sum + Math.max(1, completions.length), 0),
      )
      expect(forestBatch(list, { layout: 'packed' }).rows).toBeLessThanOrEqual(list.length)
    },
  )

  test.prop([examples])('inputs follow their units, in any micro-batch', (list) => {
    const pairs = list.filter(({ completions }) => completions.length % 2 === 0)
    const inputs = {
      reference: {
        unit: 'sequences' as const,
        values: (example: Example, position: number) => example.completions.map((_, at) => position * 10 + at),
      },
      margin: {
        unit: 'pairs' as const,
        values: (example: Example, position: number) =>
          Array.from({ length: example.completions.length / 2 }, () => position),
      },
      target: {
        unit: 'tokens' as const,
        values: (example: Example) =>
          example.completions.flatMap((completion, at) => scoredTokens(example, at).map((token) => completion[token])),
      },
    }
    const { batches, order } = microBatches(pairs, { microBatchSize: 2, inputs })
    expect(order.flat().sort((a, b) => a - b)).toEqual(pairs.map((_, at) => at))
    batches.forEach((batch, number) => {
      const positions = order[number]
      const inside = positions.map((position) => pairs[position])
      expect(Array.from(batch.inputs.reference ?? [])).toEqual(
        inside.flatMap(({ completions }, at) => completions.map((_, side) => positions[at] * 10 + side)),
      )
      expect(Array.from(batch.inputs.margin ?? [])).toEqual(
        inside.flatMap(({ completions }, at) => Array<number>(completions.length / 2).fill(positions[at])),
      )
      expect(Array.from(batch.inputs.target ?? [])).toEqual(Array.from(batch.targets))
      expect(batch.inputs.target?.length).toBe(batch.targets.length)
    })
  })

  test.prop([examples, fc.integer({ min: 1, max: 3 }), fc.boolean()])(
    'micro-batches divide the scored tokens of the batch among them',
    (list, microBatchSize, sortByLength) => {
      const whole = forestBatch(list)
      const { batches } = microBatches(list, { microBatchSize, sortByLength })
      const count = (batch: ForestBatch) => batch.tokenMask.reduce((sum, bit) => sum + bit, 0)
      expect(batches.reduce((sum, batch) => sum + count(batch), 0)).toBe(count(whole))
      expect(batches.reduce((sum, batch) => sum + batch.tokenCount, 0)).toBe(whole.tokenCount)
    },
  )

  it('sums by sequence, padding left out whatever it holds', () => {
    const batch = forestBatch([
      {
        index: 0,
        prompt: Int32Array.of(1),
        completions: [Int32Array.of(2, 3), Int32Array.of(4)],
        text: { prompt: '', completions: [] },
        columns: {},
      },
    ])
    const values = new Float32Array(batch.targets.length).fill(Number.NaN)
    values.set([1, 2, 4])
    expect(Array.from(sumBySequence(batch, values))).toEqual([3, 4])
  })

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
    expect(scoredContexts(forestBatch([pack as Example]))).toEqual(['0 → 5 | 0:3 1:4', '1 → 2 | 0:1'])
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
