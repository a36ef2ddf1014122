import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseOptions } from '@collimate/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRules } from './create-rules.js'
import { rulesOption, type RuleEntry } from './rule-entries.js'
import { readyRules } from './rules/ready-rules.js'
import { input } from './testing/input.js'

const schema = z.strictObject({ rules: rulesOption.describe('the rules') })
const parsed = (...rules: unknown[]) => parseOptions('reward "rule"', schema, { rules }).rules
const refusal = (...rules: unknown[]) => {
  try {
    parsed(...rules)
  } catch (error) {
    return error as Error
  }
  return expect.unreachable()
}

describe('the option rules', () => {
  it('fills in defaults, and reads what it wrote', () => {
    const once = parsed({ rule: 'repetition' }, { rule: './mine.ts', weight: 0.5, name: 'mine' })
    expect(once).toEqual([
      { rule: 'repetition', weight: 1, ngramSize: 3, unit: 'tokens' },
      { rule: './mine.ts', weight: 0.5, name: 'mine' },
    ])
    expect(parsed(...(JSON.parse(JSON.stringify(once)) as unknown[]))).toEqual(once)
  })

  it.each<[unknown, string, RegExp]>([
    [{ rule: 'lenght' }, 'INVALID', /"rules\.0\.rule" is "lenght"; there is no such rule; did you mean "length"\?/],
    [{ rule: 'toString' }, 'INVALID', /there is no such rule/],
    [
      { rule: 'length', tagret: 4 },
      'INVALID',
      /"rules\.0\.tagret" is 4; there is no such option; did you mean "target"\?/,
    ],
    [{ rule: 'length' }, 'MISSING', /rules\.0\.target/],
    [{ rule: 'length', target: 4, max: 4 }, 'INVALID', /exactly one of target and max/],
    [{ rule: 'length', target: 4, buffer: 4 }, 'INVALID', /buffer.*belongs to max/],
    [{ rule: 'length', max: 4, scale: 4 }, 'INVALID', /exactly one|scale.*belongs to target/],
    [{ rule: 'length', max: 4, buffer: 5 }, 'INVALID', /more than max/],
    [{ rule: 'length', target: -1 }, 'INVALID', /rules\.0\.target/],
    [{ rule: 'regex' }, 'MISSING', /rules\.0\.pattern/],
    [{ rule: 'regex', pattern: '(' }, 'INVALID', /rules\.0\.pattern.*[Uu]nterminated group/],
    [{ rule: 'regex', pattern: 'a', flags: 'g' }, 'INVALID', /rules\.0\.flags/],
    [{ rule: 'regex', pattern: 'a', flags: 'uv' }, 'INVALID', /[Ii]nvalid flags/],
    [{ rule: './mine.ts', target: 4 }, 'INVALID', /a function has no options/],
    [{ rule: 'missing-eos', weight: 'much' }, 'INVALID', /rules\.0\.weight/],
    [{ rule: 'missing-eos', weight: Infinity }, 'INVALID', /rules\.0\.weight/],
    [{ rule: 7 }, 'INVALID', /the name of a rule, a file/],
    [{}, 'MISSING', /rules\.0\.rule/],
  ])('refuses %j', (rule, code, message) => {
    expect(refusal(rule)).toMatchObject({
      code: `COLLIMATE_OPTION_${code}`,
      message: expect.stringMatching(message) as string,
    })
  })

  it('refuses no rules at all', () => {
    expect(refusal().message).toMatch(/rules/)
  })

  it('says what every option of every rule is', () => {
    for (const [rule, { options }] of Object.entries(readyRules))
      for (const [name, option] of Object.entries(options.shape))
        expect(option.description ?? '', `${rule}.${name}`).toMatch(/\w{3}/)
  })
})

describe('createRules', () => {
  let folder = ''
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'collimate-rules-'))))
  afterAll(() => rm(folder, { recursive: true }))
  const path = (relative: string) => join(folder, relative)
  const made = async (...rules: RuleEntry[]) => createRules(parsed(...rules), { path })
  const file = (name: string, text: string) => writeFile(path(name), text)

  it('names rules by what they are, each once', async () => {
    await file('brief.js', 'export default (x) => -x.completion.length')
    const shout = () => 1
    const rules = await made(
      { rule: 'regex', pattern: 'a' },
      { rule: 'regex', pattern: 'b' },
      { rule: 'regex', pattern: 'c', name: 'regex-2' },
      { rule: './brief.js', weight: 0.1 },
      { rule: shout },
      { rule: () => 2 },
    )
    expect(rules.map(({ name }) => name)).toEqual(['regex', 'regex-3', 'regex-2', 'brief', 'shout', 'rule'])
    expect(rules[3]).toMatchObject({ weight: 0.1 })
    expect(rules[3].score(input('abc'))).toBe(-3)
    const twice = { rule: 'missing-eos', name: 'same' }
    await expect(made(twice, twice)).rejects.toThrow(expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }))
  })

  it('takes the function that a file exports, in TypeScript too', async () => {
    await file('one.ts', 'export const yes = (x: { completion: string }): number => Number(x.completion === "yes")')
    const [{ score, name }] = await made({ rule: './one.ts' })
    expect([name, score(input('yes')), score(input('no'))]).toEqual(['one', 1, 0])
  })

  it.each([
    ['none.js', 'export const seven = 7', 'exports no function'],
    ['two.js', 'export const a = () => 1, b = () => 2', 'exports 2 functions and no default'],
    [
      'plugin.js',
      `export default Object.assign(() => {}, { definition: { kind: 'reward', create() {} } })`,
      'exports a plugin, not a function',
    ],
  ])('refuses %s', async (name, text, message) => {
    await file(name, text)
    await expect(made({ rule: `./${name}` })).rejects.toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_REWARD_RULE_INVALID',
        message: expect.stringContaining(message) as string,
      }),
    )
  })

  it('names a file that is not there', async () => {
    await expect(made({ rule: './absent.js' })).rejects.toThrow(/absent\.js/)
  })
})
