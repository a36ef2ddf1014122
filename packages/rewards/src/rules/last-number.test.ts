import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { lastNumber } from './last-number.js'

describe('lastNumber', () => {
  it.each([
    ['72', '72'],
    ['so it is 72.', '72'],
    ['#### -1,234.50', '-1234.5'],
    ['$1,000 and then $-20', '-20'],
    ['-$20', '-20'],
    ['−3', '-3'],
    ['5-3', '3'],
    ['16 - 3', '3'],
    ['(4)-2', '2'],
    ['1,2,3', '3'],
    ['1,2345', '2345'],
    ['12,345,678', '12345678'],
    ['007', '7'],
    ['0.50', '0.5'],
    ['.5', '0.5'],
    ['-0.0', '0'],
    ['50%', '50'],
    ['18dollars', '18'],
    ['\\boxed{72}', '72'],
    ['3 eggs x2 of H2O', '3'],
    ['3eggs', '3'],
    ['1e3', '1000'],
    ['7 or 1e999', '7'],
    ['is...5', '5'],
    ['version 1.2.3', '1.2'],
    ['12345678901234567891', '12345678901234567891'],
  ])('%s → %s', (text, number) => {
    expect(lastNumber(text)).toBe(number)
  })

  it.each(['', 'none', 'x2', '####', ',', '-', '$', 'NaN', 'Infinity', '.'])('no number in "%s"', (text) => {
    expect(lastNumber(text)).toBeUndefined()
  })

  test.prop([fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(999), fc.constantFrom('', '$', '€')])(
    'a number is read whole, with separators and without',
    (whole, thousandths, currency) => {
      const decimals = `.${String(thousandths).padStart(3, '0')}`
      const size = String(whole < 0n ? -whole : whole)
      const sign = whole < 0n ? '-' : ''
      const expected = sign + size + decimals.replace(/\.?0+$/, '')
      const grouped = size.replace(/\B(?=(\d{3})+$)/g, ',')
      for (const digits of [size, grouped])
        for (const written of [`${sign}${currency}${digits}`, `${currency}${sign}${digits}`])
          expect(lastNumber(`Of 3 it is ${written}${decimals}.`)).toBe(expected)
    },
  )

  test.prop([fc.string({ unit: 'binary' })])('any text gives a number in one way of writing, or none', (text) => {
    const found = lastNumber(text)
    if (found !== undefined) expect(lastNumber(found)).toBe(found)
  })
})
