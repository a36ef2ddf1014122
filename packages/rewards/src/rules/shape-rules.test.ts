import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { input } from '../testing/input.js'
import { ruleOf } from '../testing/rule-of.js'

const tokens = (count: number) => input('', { completionIds: new Int32Array(count) })

describe('length', () => {
  it('falls on both sides of the target', async () => {
    const score = await ruleOf({ rule: 'length', target: 40 })
    expect([40, 30, 60, 0, 80, 1000].map((count) => score(tokens(count)))).toEqual([0, -0.25, -0.5, -1, -1, -1])
    const narrow = await ruleOf({ rule: 'length', target: 2, scale: 4, unit: 'words' })
    expect(['', 'one', ' one  two\n', 'one two three'].map((text) => narrow(input(text)))).toEqual([
      -0.5, -0.25, 0, -0.25,
    ])
    const none = await ruleOf({ rule: 'length', target: 0 })
    expect([0, 1].map((count) => none(tokens(count)))).toEqual([0, -1])
  })

  // The value of TRL's get_soft_overlong_punishment(100, 20) at 90 tokens is that of its docstring.
  it('punishes what is longer than max, softly before it', async () => {
    const soft = await ruleOf({ rule: 'length', max: 100, buffer: 20 })
    expect([0, 80, 85, 90, 100, 101].map((count) => soft(tokens(count)))).toEqual([0, 0, -0.25, -0.5, -1, -1])
    const hard = await ruleOf({ rule: 'length', max: 100 })
    expect([100, 101].map((count) => hard(tokens(count)))).toEqual([0, -1])
  })
})

describe('repetition', () => {
  // Both values stand in the docstring of TRL's get_repetition_penalty_reward.
  it('is the share of n-grams that were said before', async () => {
    const score = await ruleOf({ rule: 'repetition', ngramSize: 2 })
    const of = (...ids: number[]) => score(input('', { completionIds: Int32Array.from(ids) }))
    expect(of(1, 2, 3, 4)).toBe(0)
    expect(of(5, 5, 5, 5, 5)).toBe(-0.75)
    expect([of(), of(5), of(5, 5)]).toEqual([0, 0, 0])
    const words = await ruleOf({ rule: 'repetition', ngramSize: 1, unit: 'words' })
    expect(words(input('no  no\nno yes'))).toBe(-0.5)
    // Words that differ only in where they are divided are different n-grams.
    expect(
      (await ruleOf({ rule: 'repetition', ngramSize: 2 }))(input('', { completionIds: Int32Array.of(1, 23, 12, 3) })),
    ).toBe(0)
  })

  test.prop([fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 4 })])(
    'saying the same again is never better',
    async (ids, ngramSize) => {
      const score = await ruleOf({ rule: 'repetition', ngramSize })
      const of = (list: readonly number[]) => score(input('', { completionIds: Int32Array.from(list) })) as number
      expect(of(ids)).toBeLessThanOrEqual(0)
      expect(of(ids)).toBeGreaterThan(-1)
      if (ids.length >= ngramSize) expect(of([...ids, ...ids])).toBeLessThanOrEqual(of(ids) + 1e-12)
    },
  )
})

describe('regex', () => {
  it('matches anywhere, the same every time', async () => {
    const score = await ruleOf({ rule: 'regex', pattern: '<answer>.+</answer>', flags: 'si' })
    for (let time = 0; time < 3; time++) {
      expect(score(input('Well. <Answer>1\n2</ANSWER>'))).toBe(1)
      expect(score(input('<answer></answer>'))).toBe(0)
    }
  })
})

describe('missing-eos', () => {
  it('knows only what it is told', async () => {
    const score = await ruleOf({ rule: 'missing-eos' })
    expect(score(input('a', { endedBy: 'stop' }))).toBe(0)
    expect(score(input('a', { endedBy: 'length' }))).toBe(-1)
    expect(score(input('a'))).toBeNull()
  })
})
