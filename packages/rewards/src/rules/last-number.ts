/**
 * A number in a text: digits with or without thousands separators, decimals, an exponent, a currency sign before or behind
 * the sign. What follows a letter or a digit is no number (`x2`, `H2O`), and a dash between two numbers is no sign.
 */
const NUMBER =
  /(?:(?<![\w.)\]])(?<minus>[-−]))?(?:[$€£](?<inner>[-−])?)?(?<!\w|\d\.)(?:(?<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?<decimals>\.\d+)?|(?<!\.)(?<only>\.\d+))(?<exponent>[eE][+-]?\d+)?/gu

/**
 * The last number of a text in one way of writing it: no separators, no zeros that say nothing (`1,000.50` is `1000.5`), so
 * that equal numbers are equal texts however long they are; undefined where there is none. Fractions (1/2) and decimal
 * commas are not understood.
 */
export function lastNumber(text: string): string | undefined {
  let last: string | undefined
  for (const { groups = {} } of text.matchAll(NUMBER)) {
    const { minus, inner, digits = '', only = '', decimals = only, exponent = '' } = groups as Parts
    const value = canonical(digits.replaceAll(',', ''), decimals, exponent)
    if (value !== undefined) last = (minus ?? inner) === undefined || value === '0' ? value : `-${value}`
  }
  return last
}

type Parts = Readonly<Record<string, string | undefined>>

/** Undefined where the exponent is beyond what numbers hold. */
function canonical(digits: string, decimals: string, exponent: string): string | undefined {
  if (exponent !== '') {
    const value = Number(`${digits || '0'}${decimals}${exponent}`)
    return Number.isFinite(value) ? String(value) : undefined
  }
  return (digits.replace(/^0+(?=\d)/, '') || '0') + decimals.replace(/\.?0+$/, '')
}
