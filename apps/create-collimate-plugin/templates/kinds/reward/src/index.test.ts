import { expect, test } from 'vitest'
import plugin, { lengthScore, options } from './index.js'

test('the wanted length is best, and no length is worse than −1', () => {
  const words = { target: 3, unit: 'words' } as const
  expect(lengthScore(' one two  three\n', words)).toBeCloseTo(0)
  expect(lengthScore('one two', words)).toBeCloseTo(-1 / 3)
  expect(lengthScore('', words)).toBe(-1)
  expect(lengthScore('word '.repeat(1000), words)).toBe(-1)
  expect(lengthScore('four', { target: 4, unit: 'characters' })).toBeCloseTo(0)
})

test('options have defaults, and nonsense is refused', () => {
  expect(options.parse({})).toEqual({ target: 20, unit: 'words' })
  expect(options.safeParse({ target: 0 }).success).toBe(false)
  expect(options.safeParse({ tagret: 5 }).success).toBe(false)
  expect(plugin.definition.kind).toBe('reward')
})
