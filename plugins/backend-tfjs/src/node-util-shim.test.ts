import util from 'node:util'
import { expect, test } from 'vitest'
import { shimNodeUtil } from './node-util-shim.js'

test('what Node 23 removed is there, and does what it did', () => {
  shimNodeUtil()
  const { isNullOrUndefined, isArray } = util as unknown as Record<string, (value: unknown) => boolean>
  expect([null, undefined, 0, '', false].map(isNullOrUndefined)).toEqual([true, true, false, false, false])
  expect([[], {}].map(isArray)).toEqual([true, false])
})
