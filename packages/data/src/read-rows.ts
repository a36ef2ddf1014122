import { CollimateError } from '@collimate/core'
import { parseJson, position, scanJson } from './json-text.js'
import { emptyFile, readBytes } from './read-bytes.js'
import { readLines } from './read-lines.js'
import type { Line } from './read-lines.js'

/** One row of a data file as it stands there. */
export interface SourceRow {
  readonly value: Readonly<Record<string, unknown>>
  readonly file: string
  /** Line that the row begins on, from 1. */
  readonly line: number
  /** Number of the row in its file, from 0. */
  readonly index: number
}

/** Where a row stands, for error messages. */
export function place(row: Pick<SourceRow, 'file' | 'line'>): string {
  return `${row.file}, line ${row.line}`
}

/**
 * The rows of a file: `.jsonl` or `.ndjson` (one object a line, read as a stream, blank lines skipped) or `.json` (an array
 * of objects, an object with such an array under `data`, or lines of objects); each also with `.gz` behind.
 *
 * Errors, each with file and line: COLLIMATE_DATA_FILE_MISSING, _FILE_UNREADABLE, _FILE_EMPTY, _FORMAT_UNKNOWN,
 * _GZIP_INVALID, _ENCODING_INVALID, _JSON_INVALID, _ROW_INVALID.
 */
export async function* readRows(file: string): AsyncGenerator<SourceRow> {
  const extension = /\.(jsonl|ndjson|json)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase()
  if (extension === undefined) {
    throw new CollimateError('COLLIMATE_DATA_FORMAT_UNKNOWN', `${file}: the name does not say what the file holds`, {
      hint: 'data files are .json, .jsonl or .ndjson, each also with .gz behind',
    })
  }
  const lines = readLines(readBytes(file), file)
  let count = 0
  for await (const row of extension === 'json' ? rowsOfJson(lines, file) : rowsOfLines(lines, file)) {
    count += 1
    yield row
  }
  if (count === 0) throw emptyFile(file)
}

async function* rowsOfLines(lines: AsyncIterable<Line> | Iterable<Line>, file: string): AsyncGenerator<SourceRow> {
  let index = 0
  for await (const { number, text } of lines) {
    if (text.trim() === '') continue
    if (index === 0 && text.trimStart().startsWith('[')) {
      throw new CollimateError(
        'COLLIMATE_DATA_ROW_INVALID',
        `${file}, line ${number}: a row must be an object, found an array`,
        {
          hint: 'a file that holds one JSON array is named .json',
        },
      )
    }
    yield { value: objectRow(parseJson(text, file, number), file, number), file, line: number, index }
    index += 1
  }
}

async function* rowsOfJson(source: AsyncIterable<Line>, file: string): AsyncGenerator<SourceRow> {
  const lines: Line[] = []
  for await (const line of source) lines.push(line)
  if (isObjectPerLine(lines)) {
    yield* rowsOfLines(lines, file)
    return
  }
  const text = lines.map((line) => line.text).join('\n')
  if (text.trim() === '') return
  const content = parseJson(text, file)
  const rows = Array.isArray(content) ? (content as unknown[]) : (content as { data?: unknown } | null)?.data
  if (!Array.isArray(rows)) {
    throw new CollimateError(
      'COLLIMATE_DATA_ROW_INVALID',
      `${file}: holds neither an array of rows nor an object with the array \`data\``,
      {
        hint: 'write the rows as [{...}, {...}]',
      },
    )
  }
  const starts = scanJson(text).rows
  let line = 1
  let counted = 0
  for (const [index, row] of rows.entries()) {
    const start = starts[index] ?? counted
    line += position(text.slice(counted, start), start - counted).line - 1
    counted = start
    yield { value: objectRow(row, file, line), file, line, index }
  }
}

/** Whether a `.json` file holds one object a line: the first of several lines is a whole object, so no other JSON can follow. */
function isObjectPerLine(lines: readonly Line[]): boolean {
  const [first, second] = lines.filter((line) => line.text.trim() !== '')
  return second !== undefined && first.text.trimStart().startsWith('{') && scanJson(first.text).error === undefined
}

function objectRow(value: unknown, file: string, line: number): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  throw new CollimateError(
    'COLLIMATE_DATA_ROW_INVALID',
    `${file}, line ${line}: a row must be an object, found ${found}`,
    {
      hint: 'write each row as {"column": value}',
    },
  )
}
