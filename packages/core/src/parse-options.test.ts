import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { z } from 'zod'
import { CollimateError, errorLine } from './errors.js'
import { nearest } from './nearest.js'
import { parseOptions } from './parse-options.js'

const schema = z.object({
  beta: z.number().positive().default(0.1).describe('strength of the KL term, default 0.1'),
  loss: z.enum(['sigmoid', 'hinge']).default('sigmoid'),
  model: z.string().describe('folder of the model'),
  nested: z.object({ depth: z.int().default(1) }).optional(),
  list: z.array(z.object({ key: z.string() })).default([]),
  open: z.looseObject({}).default({}),
})
const parse = (given: unknown) => parseOptions('trainer "x"', schema, given)
const line = (given: unknown): string => {
  try {
    parse(given)
    return 'accepted'
  } catch (error) {
    return errorLine(error)
  }
}

test('fills in defaults', () => {
  expect(parse({ model: 'm' })).toMatchObject({ beta: 0.1, loss: 'sigmoid', model: 'm', list: [] })
})

test.each([
  [{ model: 'm', bta: 1 }, 'COLLIMATE_OPTION_UNKNOWN: trainer "x": unknown option "bta" (did you mean "beta"?)'],
  [{ model: 'm', wheel: 1 }, 'unknown option "wheel" (options: beta, loss, model, nested, list, open)'],
  [{ model: 'm', nested: { dept: 1 } }, 'unknown option "nested.dept" (did you mean "depth"?)'],
  [{ model: 'm', list: [{ key: 'a' }, { kye: 'b' }] }, 'unknown option "list.1.kye" (did you mean "key"?)'],
  [{}, 'COLLIMATE_OPTION_MISSING: trainer "x": option "model" is missing (model: folder of the model)'],
  [{ model: 'm', beta: -1 }, 'option "beta" is -1; too small: expected number to be >0'],
  [{ model: 'm', loss: 'ipo' }, 'option "loss" is "ipo"; invalid option: expected one of "sigmoid"|"hinge"'],
  [{ model: 3, beta: 'x' }, '; and 1 more'],
  ['dpo', 'expected options by name, not "dpo"'],
  [null, 'expected options by name'],
])('%j is refused in one line', (given, expected) => {
  expect(line(given)).toContain(expected)
  expect(line(given)).not.toContain('\n')
})

test('an object with a catchall takes any key', () => {
  expect(line({ model: 'm', open: { anything: 1 } })).toBe('accepted')
})

test('law: whatever is given, the answer is the options or one coded error', () => {
  fc.assert(
    fc.property(fc.anything(), (given) => {
      try {
        parse(given)
      } catch (error) {
        expect(error).toBeInstanceOf(CollimateError)
      }
    }),
  )
})

describe('nearest', () => {
  test.each([
    ['learning_rate', 'learningRate'],
    ['learnigRate', 'learningRate'],
    ['lr', undefined],
    ['Beta', 'beta'],
  ])('%s -> %s', (word, expected) => {
    expect(nearest(word, ['beta', 'learningRate', 'loss'])).toBe(expected)
  })
})

test('errors are told by shape, so that a second copy of core can throw them', () => {
  const foreign = Object.assign(new Error('no'), { code: 'COLLIMATE_X', hint: 'do y' })
  expect(foreign).toBeInstanceOf(CollimateError)
  expect(errorLine(foreign)).toBe('COLLIMATE_X: no (do y)')
  expect(new Error('no')).not.toBeInstanceOf(CollimateError)
  expect(errorLine(new Error('no'))).toBe('COLLIMATE_UNEXPECTED: no')
})
