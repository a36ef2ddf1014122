import { expect, test } from 'vitest'
import { isRange, isVersion, satisfies } from './semver.js'

test.each([
  // version, range, whether it lies in it (node-semver's answers)
  ['0.1.0', '^0.1.0', true],
  ['0.1.9', '^0.1.0', true],
  ['0.2.0', '^0.1.0', false],
  ['0.0.3', '^0.0.3', true],
  ['0.0.4', '^0.0.3', false],
  ['1.9.0', '^1', true],
  ['2.0.0', '^1', false],
  ['2.0.0-beta', '^1.2.3', false],
  ['1.2.9', '~1.2.3', true],
  ['1.3.0', '~1.2.3', false],
  ['1.2.3', '1.x', true],
  ['1.2.3', '1.2', true],
  ['1.3.0', '1.2.*', false],
  ['1.3.0', '>=1.2.0 <2', true],
  ['2.1.0', '>=1.2.0 <2', false],
  ['2.1.0', '^1 || ^2', true],
  ['1.0.0', '*', true],
  ['1.0.0', '1.0.1', false],
  ['1.0.0-rc.1', '>=1.0.0', false],
  ['1.5.0', '>1', false],
  ['2.0.0', '>1', true],
  ['1.2.5', '<=1.2', true],
  ['1.3.0', '<=1.2', false],
])('%s in %s is %s', (version, range, expected) => {
  expect(satisfies(version, range)).toBe(expected)
})

test('what cannot be read is neither version nor range', () => {
  for (const text of ['1', '1.2', 'v1.2.3', '1.2.3.4', '']) expect(isVersion(text)).toBe(false)
  for (const text of ['newest', '^', '1.2.3.4', '^1 and ^2']) expect(isRange(text)).toBe(false)
  expect(satisfies('nonsense', '*')).toBe(false)
})
