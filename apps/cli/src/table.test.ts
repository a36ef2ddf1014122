import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from './table.js'

test('columns are aligned and the last one is wrapped under itself', () => {
  const text = table(
    [
      ['a', 'one two three four five six seven'],
      ['long', 'x'],
    ],
    30,
  )
  expect(text).toBe(['a     one two three four five', '      six seven', 'long  x'].join('\n'))
})

test('no word is lost, and no line is wider than asked for where words allow it', () => {
  const word = fc.stringMatching(/^[a-z]{1,10}$/)
  fc.assert(
    fc.property(
      word,
      fc.array(word, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 40, max: 120 }),
      (head, words, width) => {
        const lines = table([[head, words.join(' ')]], width).split('\n')
        expect(lines.join(' ').split(/\s+/)).toEqual([head, ...words])
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
      },
    ),
  )
})
