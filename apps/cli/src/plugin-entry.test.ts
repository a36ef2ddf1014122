import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namedReward, rewardEntry } from './plugin-entry.js'

const folder = mkdtempSync(join(tmpdir(), 'collimate-entry-'))
const model = join(folder, 'model')
const empty = join(folder, 'empty')
beforeAll(() => {
  mkdirSync(model)
  mkdirSync(empty)
  writeFileSync(join(model, 'config.json'), '{}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const usage = expect.objectContaining({ code: 'COLLIMATE_USAGE' }) as Error

describe('what stands after --reward', () => {
  test.each([
    ['length', 'length'],
    ['./gold.ts', './gold.ts'],
    ['examples/gold.ts', './examples/gold.ts'],
    ['/abs/gold.ts', '/abs/gold.ts'],
    ['{ use: rule, rules: [length] }', { use: 'rule', rules: ['length'] }],
  ])('%s', (text, entry) => expect(rewardEntry(text)).toEqual(entry))

  test('a folder with a model is a reward model; one without is refused', () => {
    expect(rewardEntry(model)).toEqual({ use: 'bradley-terry', model })
    expect(() => rewardEntry(empty)).toThrow(usage)
  })

  test.each(['', '{ use: ', '{ rules: [] }'])('%j is refused', (text) => expect(() => rewardEntry(text)).toThrow(usage))

  test('with a name before it', () => {
    expect(namedReward('gold=./gold.ts')).toEqual({ name: 'gold', entry: './gold.ts' })
    expect(namedReward('gold={ use: rule, x: a=b }')).toEqual({ name: 'gold', entry: { use: 'rule', x: 'a=b' } })
    expect(namedReward('length')).toEqual({ name: 'reward', entry: 'length' })
    expect(() => namedReward('kl=length')).toThrow(usage)
  })
})
