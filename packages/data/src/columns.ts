import { CollimateError } from '@collimate/core'
import type { SourceRow } from './read-rows.js'
import { place } from './read-rows.js'

/** The columns that dataset types are made of, in TRL's names. */
export const COLUMNS = [
  'text',
  'messages',
  'prompt',
  'completion',
  'chosen',
  'rejected',
  'completions',
  'labels',
] as const
export type Column = (typeof COLUMNS)[number]

/**
 * Where a column is found when a file has other names for it: a name (`question`), a path (`input.messages`,
 * `instances.0.input`), or a pattern with names in braces (`{instruction}\n{input}`).
 */
export type ColumnMapping = Readonly<Partial<Record<Column, string>>>

/** Finds columns in rows under the names of a file. */
export interface ColumnReader {
  /** The value of a column; undefined where the row has none. */
  get(row: SourceRow, column: Column): unknown
  /** What the column is called in the file, for error messages. */
  nameOf(column: Column): string
  /** The row without the columns that were used. */
  others(row: SourceRow, used: readonly Column[]): Readonly<Record<string, unknown>>
}

/** Refuses unknown columns with COLLIMATE_DATA_COLUMNS_INVALID. */
export function columnReader(mapping: ColumnMapping = {}): ColumnReader {
  for (const [column, source] of Object.entries(mapping)) {
    if (!(COLUMNS as readonly string[]).includes(column) || source === '') {
      throw new CollimateError(
        'COLLIMATE_DATA_COLUMNS_INVALID',
        source === '' ? `columns.${column}: the name is empty` : `columns.${column}: there is no such column`,
        { hint: `columns that can be mapped: ${COLUMNS.join(', ')}` },
      )
    }
  }
  const nameOf = (column: Column): string => mapping[column] ?? column
  return {
    nameOf,
    get(row, column) {
      const source = nameOf(column)
      return isPattern(source) ? fill(source, row) : lookUp(row.value, source)
    },
    others(row, used) {
      const names = new Set(
        used
          .map(nameOf)
          .flatMap((source) => (isPattern(source) ? [] : [source in row.value ? source : source.split('.')[0]])),
      )
      return Object.fromEntries(Object.entries(row.value).filter(([name]) => !names.has(name)))
    },
  }
}

const NAME = /\{([\w.-]+)\}/g

function isPattern(source: string): boolean {
  return source.search(NAME) !== -1
}

/** A pattern with the row's values in place of the names; a value that is missing or not a text or number is refused. */
function fill(pattern: string, row: SourceRow): string {
  return pattern.replace(NAME, (_, name: string) => {
    const value = lookUp(row.value, name)
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw new CollimateError(
      value === undefined ? 'COLLIMATE_DATA_FIELD_MISSING' : 'COLLIMATE_DATA_FIELD_INVALID',
      `${place(row)}: field \`${name}\` of the pattern ${JSON.stringify(pattern)} is ${value === undefined ? 'missing' : 'not a text'}`,
      { hint: `the row has: ${Object.keys(row.value).join(', ')}` },
    )
  })
}

/** The value under a name, or under a path of names and list positions; a name that contains dots comes first. */
function lookUp(row: Readonly<Record<string, unknown>>, source: string): unknown {
  if (Object.hasOwn(row, source)) return row[source]
  let value: unknown = row
  for (const step of source.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}
