import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { duration, labelled, measurementTable, metricValue, shortCount, shortNumber } from './format.js'

test.each([
  [0.693147, '0.6931'],
  [0, '0'],
  [1234.5678, '1235'],
  [1e-6, '1e-6'],
  [2.5e-5, '2.5e-5'],
  [12345678, '1.23e7'],
  [-0.05, '-0.05'],
  [Number.NaN, 'NaN'],
])('%d is %s', (value, expected) => {
  expect(shortNumber(value)).toBe(expected)
})

test('law: a short number is the number to four digits (three with an exponent)', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), (value) => {
      expect(Math.abs(Number(shortNumber(value)) - value)).toBeLessThanOrEqual(0.006 * Math.abs(value))
    }),
  )
})

test.each([
  [0, '0 s'],
  [59.6, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
])('%d seconds are %s', (seconds, expected) => {
  expect(duration(seconds)).toBe(expected)
})

test('counts and units', () => {
  expect([840, 12_345, 3_400_000].map(shortCount)).toEqual(['840', '12.3k', '3.4M'])
  expect(metricValue('eval_rewards/accuracies', 0.523)).toBe('52.3 %')
  expect(metricValue('win_rate', 0.5)).toBe('50.0 %')
  expect(metricValue('eval_loss', 0.6931)).toBe('0.6931 nats')
  expect(metricValue('learning_rate', 1e-6)).not.toContain('%')
  expect(metricValue('mean_length', 12)).toBe('12 tokens')
})

test('a table of measurements has aligned columns', () => {
  const rows = measurementTable({
    eval_loss: { value: 0.69, low: 0.68, high: 0.7, count: 200 },
    win_rate: { value: 0.6, low: 0.5, high: 0.7 },
    margin: { value: 1 },
  })
  expect(rows).toEqual([
    'eval_loss  0.69 nats  [0.68, 0.7]       n = 200',
    'win_rate   60.0 %     [50.0 %, 70.0 %]',
    'margin     1',
  ])
})

describe('texts of a model', () => {
  test('keep their lines under the label', () => {
    expect(labelled('policy: ', 'a\nb', '  ')).toBe('  policy: a\n          b')
  })

  test('law: cannot move the cursor or change colours', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(labelled('x: ', text, '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
      }),
    )
  })

  test('are cut where they are very long', () => {
    expect(labelled('', 'a'.repeat(700), '')).toMatch(/a{600} \.\.\. \(100 more characters\)$/)
  })
})
