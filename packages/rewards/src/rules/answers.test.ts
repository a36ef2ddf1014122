import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { input } from '../testing/input.js'
import { ruleOf } from '../testing/rule-of.js'

describe.each(['exact-answer', 'numeric-answer'])('%s', (rule) => {
  it.each([
    ['#### 72', '#### 72', 1],
    ['She has 9 * 2 = 18.\n#### 18', 'So 18.\n#### 18', 1],
    ['#### 1,000', '#### 1000', 1],
    ['####   18.', '18', 1],
    ['18', '#### 18', 1],
    ['#### 18\nand 19 more', '#### 18', 1],
    ['#### 17\n#### 18', '#### 18', 1],
    ['#### 19', '#### 18', 0],
    ['', '#### 18', 0],
    ['####', '#### 18', 0],
    ['no idea', '#### 18', 0],
  ])('%j against %j: %d', async (completion, answer, expected) => {
    const score = await ruleOf({ rule })
    expect(await score(input(completion, { columns: { answer } }))).toBe(expected)
  })

  it('reads the column that it is told, also where that is a number, and says nothing where the row says null', async () => {
    const score = await ruleOf({ rule, column: 'gold' })
    expect(await score(input('18', { columns: { gold: 18 } }))).toBe(1)
    expect(await score(input('18', { columns: { gold: null } }))).toBeNull()
    expect(() => score(input('18', { columns: { answer: '18' } }))).toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_REWARD_COLUMN_INVALID',
        message: 'the row has no column `gold`',
        hint: 'the row has: answer',
      }),
    )
    expect(() => score(input('18', { columns: { gold: [18] } }))).toThrow(/neither a text nor a number/)
  })
})

describe('exact-answer', () => {
  it('compares texts', async () => {
    const [strict, loose] = [
      await ruleOf({ rule: 'exact-answer' }),
      await ruleOf({ rule: 'exact-answer', mark: 'A:', ignoreCase: true }),
    ]
    const of = (completion: string, answer: string) => input(completion, { columns: { answer } })
    expect(strict(of(' Paris,\n France. ', 'Paris, France'))).toBe(1)
    expect(strict(of('It is Paris', 'Paris'))).toBe(0)
    expect(strict(of('paris', 'Paris'))).toBe(0)
    expect(strict(of('18.0', '18'))).toBe(0)
    expect(loose(of('It is. A: PARIS', 'Paris'))).toBe(1)
  })
})

describe('numeric-answer', () => {
  it('compares numbers, the last of each text', async () => {
    const [strict, near] = [
      await ruleOf({ rule: 'numeric-answer' }),
      await ruleOf({ rule: 'numeric-answer', tolerance: 0.01 }),
    ]
    const of = (completion: string, answer: string) => input(completion, { columns: { answer } })
    expect(strict(of('2 and 16 make 18.00 dollars', '18'))).toBe(1)
    expect(strict(of('3.14', '3.1416'))).toBe(0)
    expect(near(of('3.14', '3.1416'))).toBe(1)
    expect(strict(of('9007199254740993', '9007199254740992'))).toBe(0)
    expect(() => strict(of('18', 'eighteen'))).toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_REWARD_COLUMN_INVALID',
        message: expect.stringContaining('"eighteen"'),
      }),
    )
  })
})

const data = fileURLToPath(new URL('../../../../../shared/data/gsm8k/', import.meta.url))

describe.skipIf(!existsSync(data))('GSM8K in ../shared/data (skipped where the folder is absent)', () => {
  const rows = (file: string) =>
    readFileSync(data + file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it.each(['exact-answer', 'numeric-answer'])('%s: every answer is right against itself', async (rule) => {
    const score = await ruleOf({ rule })
    for (const file of ['train.jsonl', 'test.jsonl'])
      for (const columns of rows(file)) expect(score(input(String(columns.answer), { columns }))).toBe(1)
  })

  it.each(['exact-answer', 'numeric-answer'])(
    '%s: agrees with the labels of 5,276 solutions of models',
    async (rule) => {
      const score = await ruleOf({ rule, column: 'ground_truth', mark: 'A:' })
      let solutions = 0
      for (const columns of rows('example_model_solutions.jsonl'))
        for (const model of ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']) {
          const { is_correct, solution } = columns[model] as { is_correct: boolean; solution: string }
          expect(score(input(solution, { columns }))).toBe(Number(is_correct))
          solutions += 1
        }
      expect(solutions).toBe(5276)
    },
  )
})
