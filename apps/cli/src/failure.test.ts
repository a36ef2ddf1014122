import { CollimateError } from '@collimate/core'
import { CommanderError } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { reportFailure, usageError } from './failure.js'

let written = ''
beforeEach(() => {
  written = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text)
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

test('an error is one line: code, message, hint', () => {
  const error = new CollimateError('COLLIMATE_FILE_MISSING', 'there is no\n  file x', { hint: 'check the path' })
  expect(reportFailure(error, false)).toBe(1)
  expect(written).toBe('error COLLIMATE_FILE_MISSING: there is no file x (check the path)\n')
})

test('what was asked wrongly exits with 2, what was ended by force with 130', () => {
  expect(reportFailure(usageError('--model is missing'), false)).toBe(2)
  expect(reportFailure(new CollimateError('COLLIMATE_OPTION_INVALID', 'beta'), false)).toBe(2)
  expect(reportFailure(new CollimateError('COLLIMATE_RUN_KILLED', 'stopped twice'), false)).toBe(130)
})

test('help and version are no failure', () => {
  expect(reportFailure(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), false)).toBe(0)
  expect(written).toBe('')
})

test('a defect is told as such, with its stack only on demand', () => {
  expect(reportFailure(new TypeError('x is undefined'), false)).toBe(1)
  expect(written).toBe('error COLLIMATE_UNEXPECTED: x is undefined\n')
  reportFailure(new TypeError('x is undefined', { cause: new Error('deeper') }), true)
  expect(written).toMatch(/\n +at [\s\S]*caused by Error: deeper/)
})
