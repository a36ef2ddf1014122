import { CollimateError } from '@collimate/core'

type Expected = 'a value' | 'a value or ]' | 'a key' | 'a key or }' | ':' | ', or ]' | ', or }' | 'the end'

/** What a scan of JSON text finds without building values. */
export interface JsonScan {
  /** The first character that cannot belong to JSON text, and what should stand there; absent where the text is JSON. */
  readonly error?: { readonly offset: number; readonly expected: string }
  /** Where the rows begin: the elements of the top-level array, or of the top-level object's array `data`. */
  readonly rows: readonly number[]
}

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y

/** Walks JSON text (RFC 8259) and says where it stops being JSON; engines do not agree on how they report that. */
export function scanJson(text: string): JsonScan {
  const open: ('[' | '{')[] = []
  const rows: number[] = []
  let at = 0
  let topKey = ''
  let expected: Expected = 'a value'
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }
  const afterValue = (): Expected => (open.length === 0 ? 'the end' : open.at(-1) === '[' ? ', or ]' : ', or }')
  for (;;) {
    at += match(SPACE)?.length ?? 0
    if (at >= text.length) break
    const character = text[at]
    if (expected === 'the end') break
    if (expected === ':') {
      if (character !== ':') break
      at += 1
      expected = 'a value'
    } else if (expected === ', or ]' || expected === ', or }') {
      if (character === ',') expected = expected === ', or ]' ? 'a value' : 'a key'
      else if (character === expected.at(-1)) {
        open.pop()
        expected = afterValue()
      } else break
      at += 1
    } else if ((expected === 'a value or ]' && character === ']') || (expected === 'a key or }' && character === '}')) {
      open.pop()
      at += 1
      expected = afterValue()
    } else if (expected === 'a key' || expected === 'a key or }') {
      const key = match(STRING)
      if (key === undefined) break
      if (open.length === 1) topKey = key
      at += key.length
      expected = ':'
    } else {
      const inRows =
        open.length === 1
          ? open[0] === '['
          : open.length === 2 && open[0] === '{' && open[1] === '[' && topKey === '"data"'
      if (inRows) rows.push(at)
      if (character === '[' || character === '{') {
        open.push(character)
        at += 1
        expected = character === '[' ? 'a value or ]' : 'a key or }'
      } else {
        const scalar = match(STRING) ?? match(SCALAR)
        if (scalar === undefined) break
        at += scalar.length
        expected = afterValue()
      }
    }
  }
  return expected === 'the end' && at >= text.length ? { rows } : { rows, error: { offset: at, expected } }
}

/** Line and column of an offset, both from 1. */
export function position(text: string, offset: number): { line: number; column: number } {
  let line = 1
  let start = 0
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', start)) {
    line += 1
    start = next + 1
  }
  return { line, column: offset - start + 1 }
}

/**
 * Parses JSON text. COLLIMATE_DATA_JSON_INVALID names file, line and column and shows the place; `line` is the number of
 * the text's first line in its file.
 */
export function parseJson(text: string, file: string, line = 1): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const error = scanJson(text).error ?? { offset: 0, expected: 'JSON' }
    const place = position(text, error.offset)
    const excerpt = text.slice(Math.max(0, error.offset - 24), error.offset + 16).replace(/\s+/g, ' ')
    const found = error.offset >= text.length ? 'the text ends' : `found ${JSON.stringify(text[error.offset])}`
    throw new CollimateError(
      'COLLIMATE_DATA_JSON_INVALID',
      `${file}, line ${line + place.line - 1}, column ${place.column}: not valid JSON: expected ${error.expected}, ${found}, near ${JSON.stringify(excerpt)}`,
      { hint: 'correct the line, or write the file with a JSON library', cause },
    )
  }
}
