import { CollimateError } from '@collimate/core'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { combineRules, unscored } from './combine-rules.js'
import type { Rule, RuleFunction } from './rule.js'
import { input } from './testing/input.js'

const rule = (name: string, weight: number, score: RuleFunction): Rule => ({ name, weight, score })
const place = (at: number) => `rollout ${at}`
const failure = (score: unknown) =>
  combineRules([rule('mine', 1, score as RuleFunction)], [input('fine'), input('odd one')], place).then(
    () => expect.unreachable(),
    (error: CollimateError) => error,
  )

describe('combineRules', () => {
  it('adds weighted scores, sync and async; a rule that says null adds nothing', async () => {
    const rules = [
      rule('words', 2, ({ completion }) => completion.split(' ').length),
      rule('short', -0.5, async ({ completion }) => (completion.length < 4 ? 1 : null)),
    ]
    const { totals, parts, scored } = await combineRules(rules, [input('a b'), input('a b c d')], place)
    expect([...totals]).toEqual([3.5, 8])
    expect(parts).toEqual({ words: Float64Array.of(2, 4), short: Float64Array.of(1, 0) })
    expect([...scored]).toEqual([1, 1])
    const none = await combineRules([rule('none', 1, () => null)], [input('a')], place)
    expect([[...none.totals], [...none.scored]]).toEqual([[0], [0]])
    expect((await combineRules(rules, [], place)).totals).toHaveLength(0)
  })

  test.prop([
    fc.array(
      fc.tuple(
        fc.integer({ min: -8, max: 8 }),
        fc.array(fc.option(fc.integer({ min: -99, max: 99 })), { minLength: 4, maxLength: 4 }),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  ])('the total is the sum of the weighted parts', async (given) => {
    const inputs = ['a', 'b', 'c', 'd'].map((text) => input(text))
    const rules = given.map(([weight, scores], number) =>
      rule(`r${number}`, weight, ({ completion }) => scores['abcd'.indexOf(completion)]),
    )
    const { totals, parts, scored } = await combineRules(rules, inputs, place)
    totals.forEach((total, at) => {
      expect(total).toBe(rules.reduce((sum, { name, weight }) => sum + weight * parts[name][at], 0))
      expect(scored[at]).toBe(given.some(([, scores]) => scores[at] !== null) ? 1 : 0)
    })
  })

  it.each([[Number.NaN], [Infinity], [undefined], ['1'], [true]])('refuses %s', async (value) => {
    const error = await failure(({ completion }: { completion: string }) => (completion === 'fine' ? 1 : value))
    expect(error.code).toBe('COLLIMATE_REWARD_NOT_FINITE')
    expect(error.message).toMatch(
      /^rule "mine" gives rollout 1 (NaN|Infinity|undefined|a string|a boolean): "odd one"$/,
    )
  })

  it('refuses a sum that is not finite', async () => {
    const rules = [rule('huge', 10, () => 1e308)]
    await expect(combineRules(rules, [input('x')], place)).rejects.toThrow(
      'the rules give rollout 0 Infinity together: "x"',
    )
  })

  it('says which rule failed where, and keeps a code', async () => {
    const plain = await failure(async () => Promise.reject(new Error('no connection')))
    expect(plain).toMatchObject({
      code: 'COLLIMATE_REWARD_RULE_FAILED',
      message: 'rule "mine", rollout 0, "fine": no connection',
    })
    const coded = await failure(() => {
      throw new CollimateError('COLLIMATE_REWARD_COLUMN_INVALID', 'no column', { hint: 'add it' })
    })
    expect(coded).toMatchObject({ code: 'COLLIMATE_REWARD_COLUMN_INVALID', hint: 'add it' })
    expect(coded.message).toBe('rule "mine", rollout 0, "fine": no column')
    expect((await failure(() => Promise.reject('odd'))).message).toContain('odd')
  })

  it('has an error for what nobody scored', () => {
    expect(unscored('rollout 3', input('x'.repeat(200)))).toMatchObject({
      code: 'COLLIMATE_REWARD_UNSCORED',
      message: `no rule scores rollout 3, "${'x'.repeat(80)}"`,
    })
  })
})
