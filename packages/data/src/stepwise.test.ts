import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { NO_LABEL } from '@collimate/core'
import type { Example } from '@collimate/core'
import { trainByteBpe } from './byte-bpe.js'
import { columnReader } from './columns.js'
import { datasetRow } from './dataset-types.js'
import { prepareExamples } from './prepare.js'
import type { SourceRow } from './read-rows.js'
import { stepBatches, stepEndsOf } from './step-batches.js'
import { tokenizeSteps } from './tokenize-steps.js'
import { createTokenizer } from './tokenizer.js'

const row = {
  prompt: 'Which number is larger, 9.8 or 9.11?',
  completions: ['11 is greater than 8.', 'Hence, 9.11 > 9.8.'],
  labels: [true, false],
}
const files = trainByteBpe([`${row.prompt} ${row.completions.join(' ')}\n\n\n`], { vocabularySize: 290 })
const tokenizer = createTokenizer(files)
const source = (value: Record<string, unknown>): SourceRow => ({ value, file: 'steps.jsonl', line: 3, index: 2 })
const read = (value: Record<string, unknown>, mapping = {}) => {
  const found = datasetRow(source(value), 'stepwise', columnReader(mapping))
  return found === 'prompts_differ' ? expect.unreachable() : found
}
const tokenized = (options: Partial<Parameters<typeof tokenizeSteps>[1]> = {}) =>
  tokenizeSteps(read(row), { tokenizer, maxLength: null, truncation: 'keep_start', ...options })
const exampleOf = (...options: Parameters<typeof tokenized>): Example => {
  const found = tokenized(...options)
  return 'example' in found ? found.example : expect.unreachable(found.dropped)
}

describe('tokenizeSteps', () => {
  // `tokenize_row` of TRL 1.5's PRMTrainer with this tokenizer; later versions of TRL have no PRMTrainer.
  const prompt = [264, 275, 288, 277, 262, 287, 273, 12, 257, 14, 24, 289, 257, 14, 258, 31]
  const steps = (separator: number) => [
    [258, 262, 286, 271, 259, 221, 281, 282, 14, separator],
    [263, 279, 12, 257, 14, 258, 283, 257, 14, 24, 14, separator],
  ]
  const ending = (label: number, length: number) => [...new Array<number>(length - 1).fill(NO_LABEL), label]

  it.each([
    ['\n', 199],
    ['\n\n', 261],
  ])('gives the ids and labels of TRL with the separator %j', (stepSeparator, separator) => {
    const example = exampleOf({ stepSeparator })
    expect([...example.prompt]).toEqual(prompt)
    expect(example.completions.map((ids) => [...ids])).toEqual([steps(separator).flat()])
    expect(example.labels?.map((own) => [...own])).toEqual([[...ending(1, 10), ...ending(0, 12)]])
    expect(example.text).toEqual({
      prompt: row.prompt,
      completions: [row.completions.map((step) => step + stepSeparator).join('')],
    })
  })

  it('cuts labels with their tokens, as TRL does', () => {
    const example = exampleOf({ maxLength: 28 })
    expect([...example.completions[0]]).toEqual(steps(199).flat().slice(0, 12))
    expect([...(example.labels?.[0] ?? [])]).toEqual([...ending(1, 10), NO_LABEL, NO_LABEL])
    expect(example.text.completions).toEqual(['11 is greater than 8.\nHence'])
    expect([...(exampleOf({ maxLength: 12, truncation: 'keep_end' }).labels?.[0] ?? [])]).toEqual(ending(0, 12))
    expect(tokenized({ maxLength: 25 })).toEqual({ dropped: 'emptied' })
    expect(tokenized({ maxLength: 37, truncation: 'drop' })).toEqual({ dropped: 'too_long' })
    expect(exampleOf({ maxLength: 38, truncation: 'drop' }).prompt).toHaveLength(16)
  })
})

describe('stepwise rows', () => {
  it('read labels of both kinds, and columns of other names', () => {
    const other = { q: 'a', steps: ['b', 'c'], marks: [1, 0], id: 7 }
    expect(read(other, { prompt: 'q', completions: 'steps', labels: 'marks' })).toMatchObject({
      prompt: 'a',
      completions: ['b', 'c'],
      labels: [1, 0],
      columns: { id: 7 },
    })
    const promptOnly = datasetRow(source(row), 'prompt-only', columnReader())
    expect(promptOnly).toMatchObject({ prompt: row.prompt, completions: [] })
  })

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ ...row, labels: undefined }, 'MISSING', /steps\.jsonl, line 3: field `labels` is missing: stepwise rows need/],
    [{ ...row, completions: null }, 'MISSING', /`completions`/],
    [{ ...row, prompt: undefined }, 'MISSING', /`prompt`/],
    [{ ...row, prompt: [{ role: 'user', content: 'a' }] }, 'INVALID', /`prompt`/],
    [{ ...row, completions: 'one' }, 'INVALID', /`completions` must be a list of texts/],
    [{ ...row, completions: ['one', 2] }, 'INVALID', /`completions` must be a list of texts/],
    [{ ...row, labels: true }, 'INVALID', /`labels` must be a list/],
    [{ ...row, labels: [true, 0.5] }, 'INVALID', /`labels` is 0\.5 for step 2/],
    [{ ...row, labels: [true] }, 'INVALID', /`labels` has 1 labels for 2 steps in `completions`/],
  ])('refuse %j', (value, code, message) => {
    expect(() => read(value)).toThrow(
      expect.objectContaining({
        code: `COLLIMATE_DATA_FIELD_${code}`,
        message: expect.stringMatching(message) as string,
      }),
    )
  })

  it('are left out where they have no step, are told apart by labels, and are not packed', async () => {
    const request = { type: 'stepwise', tokenizer: files, maxLength: 64, truncation: 'keep_start' } as const
    const prepared = (...rows: Record<string, unknown>[]) => prepareExamples(rows.map(source), request)
    const one = await prepared(row, { ...row, completions: [], labels: [] })
    expect(one.dropped).toEqual({ emptied: 1 })
    const other = await prepared({ ...row, labels: [true, true] })
    expect(other.info.fingerprint).not.toBe(one.info.fingerprint)
    await expect(prepareExamples([source(row)], { ...request, packing: 'bfd' })).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_PACKING_UNSUPPORTED' }),
    )
  })
})

const ids = (minLength: number) =>
  fc.array(fc.integer({ min: 1, max: 99 }), { minLength, maxLength: 6 }).map((list) => Int32Array.from(list))
const examples = fc.array(
  fc
    .record({
      prompt: ids(0),
      completions: fc.array(
        fc.tuple(ids(1), fc.array(fc.constantFrom(NO_LABEL, 0, 1), { minLength: 6, maxLength: 6 })),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    })
    .map(({ prompt, completions }): Example => ({
      ...{ index: 0, prompt, columns: {}, text: { prompt: '', completions: [] } },
      completions: completions.map(([own]) => own),
      labels: completions.map(([own, labels]) => Int32Array.from(labels.slice(0, own.length))),
    })),
  { minLength: 1, maxLength: 4 },
)

describe('stepBatches', () => {
  test.prop([examples, fc.integer({ min: 1, max: 4 }), fc.constantFrom('shared', 'separate', 'packed')])(
    'reads every step at its own last token, with all that was written before it',
    (given, microBatchSize, layout) => {
      const inputs = {
        label: ({ labels = [] }: Example) => labels.flatMap((own) => [...own].filter((label) => label !== NO_LABEL)),
      }
      const { batches, order } = stepBatches(given, { microBatchSize, layout, inputs })
      batches.forEach((batch, number) => {
        const expected = order[number].flatMap((position) => {
          const { prompt, completions, labels = [] } = given[position]
          return completions.map((own, at) =>
            [...stepEndsOf(labels[at])].map((end) => [labels[at][end], ...prompt, ...own.slice(0, end + 1)]),
          )
        })
        const found: number[][][] = expected.map(() => [])
        batch.sources.forEach((place, step) => {
          if (batch.tokenMask[step] === 0) return
          const begin = Math.floor(place / batch.width) * batch.width
          const seen = Array.from(batch.tokens.keys()).filter(
            (at) =>
              at >= begin && at <= place && [batch.segments[place], batch.prompts[place]].includes(batch.segments[at]),
          )
          found[batch.sequences[step]].push([batch.inputs.label[step], ...seen.map((at) => batch.tokens[at])])
        })
        expect(found).toEqual(expected)
        expect(batch.targets).toHaveLength(batch.sources.length)
      })
    },
  )

  it('refuses steps outside of their completion, and inputs of another size', () => {
    const one: Example = exampleOf()
    const [{ length }] = one.completions
    const batch = (ends: number[], values: number[] = ends) =>
      stepBatches([one], { microBatchSize: 1, ends: () => [ends], inputs: { x: () => values } })
    expect(() => batch([length])).toThrow(`row 2: a step ends at token ${length} of ${length}`)
    expect(() => batch([-1])).toThrow(/ends at token -1/)
    expect(() => batch([1, 2], [1])).toThrow('input x: row 2 has 1 values for 2 steps')
    expect(batch([]).batches[0].tokenMask.every((bit) => bit === 0)).toBe(true)
  })
})
