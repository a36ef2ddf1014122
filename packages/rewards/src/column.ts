import { CollimateError } from '@collimate/core'
import type { RuleInput } from './rule.js'

/**
 * A column of the data row as text; null where the row says null, which is how tables mark what does not apply to a row.
 *
 * @throws CollimateError COLLIMATE_REWARD_COLUMN_INVALID where the row has no such column, or it is no text or number
 */
export function columnText({ columns }: Pick<RuleInput, 'columns'>, name: string): string | null {
  const value = columns[name]
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  const there = Object.keys(columns)
  throw invalidColumn(
    value === undefined ? `the row has no column \`${name}\`` : `column \`${name}\` is neither a text nor a number`,
    there.length === 0 ? 'the row has no columns beside its texts' : `the row has: ${there.join(', ')}`,
  )
}

export const invalidColumn = (problem: string, hint: string): CollimateError =>
  new CollimateError('COLLIMATE_REWARD_COLUMN_INVALID', problem, { hint })
