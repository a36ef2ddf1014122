import { expect, test } from 'vitest'
import { sumRow } from './index.js'

test('every row is right, and the rejected answer is wrong', () => {
  for (let index = 0; index < 100; index++) {
    const { prompt, completion, chosen, rejected } = sumRow(index, 9, 1)
    const [, a, b] = /^(\d) \+ (\d) =$/.exec(prompt) ?? []
    expect(Number(completion)).toBe(Number(a) + Number(b))
    expect(chosen).toBe(completion)
    expect(rejected).not.toBe(completion)
  }
})
