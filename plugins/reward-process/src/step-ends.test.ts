import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { endsByCount, endsByDelimiter } from './step-ends.js'

/** Tokens are given one by one; those in angle brackets are special: written, not said. */
const ends = (tokens: readonly string[], delimiter = '\n') => [
  ...endsByDelimiter(
    tokens,
    tokens.map((token) => (token.startsWith('<') ? '' : token)),
    delimiter,
  ),
]

describe('endsByDelimiter', () => {
  it.each<[string, string[], number[], string?]>([
    ['two steps', ['one', '\n', 'two', '\n'], [1, 3]],
    ['a last step without its delimiter', ['one', '\n', 'two'], [1, 2]],
    ['the end token belongs to a step that it ends', ['one', '\n', 'two', '<eos>'], [1, 3]],
    ['and to none behind the last delimiter', ['one', '\n', '<eos>'], [1]],
    ['delimiters within tokens', ['one\n', 'two', ' words\nthree', ' more'], [0, 2, 3]],
    ['blank lines go with the step behind them', ['one', '\n', '\n', ' \n', 'two', '\n'], [1, 5]],
    ['blank lines at the beginning', ['\n', '\n\n', 'one', '\n'], [3]],
    ['a token that begins with the delimiter', ['\none', ' two', '\n'], [2]],
    ['white space at the end', ['one', '\n', ' ', '\n'], [1]],
    ['nothing but blank', ['\n', ' '], [1]],
    ['nothing but the end token', ['<eos>'], [0]],
    ['no tokens', [], []],
    ['no delimiter', ['one', ' two'], [1]],
    ['a delimiter of two tokens', ['one', '\n', '\n', 'two', '\n', 'three'], [2, 5], '\n\n'],
    ['a delimiter that is split', ['one', '#', '##', 'two', '##', '#', '<eos>'], [2, 5], '###'],
    ['nothing but a split delimiter', ['#', '##', 'one', '###'], [3], '###'],
    ['half a delimiter is text', ['one', '#', '<eos>'], [2], '###'],
    ['a special token as delimiter', ['one', '<step>', '<step>', 'two', '<step>', '<eos>'], [1, 4], '<step>'],
    ['a special token before the first word', ['<bot>', '\n', 'one', ' two', '\n'], [4]],
    ['a delimiter twice in one token', ['one\n\ntwo', ' three'], [0, 1]],
  ])('%s', (_, tokens, expected, delimiter) => {
    expect(ends(tokens, delimiter)).toEqual(expected)
  })

  const pieces = fc.array(fc.constantFrom('a', 'b ', '\n', '\n\n', 'c\n', '\nd', ' ', '<x>'), { maxLength: 12 })
  test.prop([pieces, fc.constantFrom('\n', '\n\n', 'a')])(
    'every step but the last is known when it is written',
    (tokens, delimiter) => {
      const all = ends(tokens, delimiter)
      expect(all).toEqual(all.toSorted((a, b) => a - b))
      expect(new Set(all).size).toBe(all.length)
      if (tokens.length > 0) expect(all.length).toBeGreaterThan(0)
      for (const end of all.slice(0, -1)) expect(ends(tokens.slice(0, end + 1), delimiter).at(-1)).toBe(end)
    },
  )

  test.prop([pieces])('every word belongs to a step, and every step has one', (tokens) => {
    const said = tokens.map((token) => (token.startsWith('<') ? '' : token))
    const all = ends(tokens)
    const texts = all.map((end, step) => said.slice(step === 0 ? 0 : all[step - 1] + 1, end + 1).join(''))
    if (said.join('').trim() !== '') for (const text of texts) expect(text.trim()).not.toBe('')
    expect(
      said
        .slice((all.at(-1) ?? -1) + 1)
        .join('')
        .trim(),
    ).toBe('')
  })
})

describe('endsByCount', () => {
  test.prop([fc.nat(40), fc.integer({ min: 1, max: 9 })])(
    'divides into equal steps, the last with the rest',
    (length, tokens) => {
      const all = [...endsByCount(length, tokens)]
      const sizes = all.map((end, step) => end - (step === 0 ? -1 : all[step - 1]))
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(length)
      expect(sizes.slice(0, -1).every((size) => size === tokens)).toBe(true)
      if (length > 0) expect(sizes.at(-1)).toBeGreaterThan(0)
    },
  )
})
