import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseJson, scanJson } from './json-text.js'
import { readLines } from './read-lines.js'
import { readRows } from './read-rows.js'
import type { SourceRow } from './read-rows.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'collimate-rows-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function rowsOf(name: string, content: string | Uint8Array): Promise<SourceRow[]> {
  const file = join(folder, name)
  await writeFile(file, content)
  const rows: SourceRow[] = []
  for await (const row of readRows(file)) rows.push(row)
  return rows
}

const brief = (rows: readonly SourceRow[]) => rows.map(({ value, line, index }) => [value.a, line, index])

describe('readRows', () => {
  it('reads JSONL, with blank lines, a byte order mark, Windows line ends and no last line end', async () => {
    const content = '\ufeff{"a":1}\r\n\r\n{"a":"é\\n\u2028"}\r\n{"a":3}'
    const expected = [
      [1, 1, 0],
      ['é\n\u2028', 3, 1],
      [3, 4, 2],
    ]
    expect(brief(await rowsOf('x.jsonl', content))).toEqual(expected)
    expect(brief(await rowsOf('x.jsonl.gz', gzipSync(content)))).toEqual(expected)
    expect(brief(await rowsOf('lines.json', content))).toEqual(expected)
  })

  it('reads JSON arrays and objects with `data`, and knows the lines of their rows', async () => {
    expect(brief(await rowsOf('x.json', '[\n  {"a": [1,\n 2]},\n\n  {"a": 2}, {"a": 3}\n]\n'))).toEqual([
      [[1, 2], 2, 0],
      [2, 5, 1],
      [3, 5, 2],
    ])
    const content = '{"info": [{"a": 0}],\n "data":\n [{"a": {"data": [1]}},\n {"a": 2}]}'
    expect(brief(await rowsOf('x.json.gz', gzipSync(content)))).toEqual([
      [{ data: [1] }, 3, 0],
      [2, 4, 1],
    ])
  })

  it.each([
    [
      'broken.jsonl',
      '{"a":1}\n{"a":2\n',
      'COLLIMATE_DATA_JSON_INVALID',
      /broken\.jsonl, line 2, column 7: .*expected , or }, the text ends/,
    ],
    [
      'broken.json',
      '[\n{"a": 1},\n{"a": 1 2}]',
      'COLLIMATE_DATA_JSON_INVALID',
      /broken\.json, line 3, column 9: .*expected , or }, found "2"/,
    ],
    ['empty.jsonl', '', 'COLLIMATE_DATA_FILE_EMPTY', /empty\.jsonl/],
    ['blank.jsonl', '\n \n', 'COLLIMATE_DATA_FILE_EMPTY', /blank\.jsonl/],
    ['blank.json', ' ', 'COLLIMATE_DATA_FILE_EMPTY', /blank\.json/],
    ['none.json', '[]', 'COLLIMATE_DATA_FILE_EMPTY', /none\.json/],
    ['object.json', '{"rows": []}', 'COLLIMATE_DATA_ROW_INVALID', /array/],
    ['number.jsonl', '{"a":1}\n7\n', 'COLLIMATE_DATA_ROW_INVALID', /number\.jsonl, line 2: .*found a number/],
    ['array.jsonl', '[{"a":1}]', 'COLLIMATE_DATA_ROW_INVALID', /found an array/],
    ['element.json', '[{"a":1},\nnull]', 'COLLIMATE_DATA_ROW_INVALID', /line 2: .*null/],
    ['bytes.jsonl', Buffer.from([123, 125, 10, 0xff, 0xfe]), 'COLLIMATE_DATA_ENCODING_INVALID', /bytes\.jsonl, line 2/],
    ['cut.jsonl.gz', gzipSync('{"a":1}\n'.repeat(99)).subarray(0, 20), 'COLLIMATE_DATA_GZIP_INVALID', /cut\.jsonl\.gz/],
    ['plain.jsonl.gz', '{"a":1}\n', 'COLLIMATE_DATA_GZIP_INVALID', /plain\.jsonl\.gz/],
    ['table.csv', 'a\n1\n', 'COLLIMATE_DATA_FORMAT_UNKNOWN', /table\.csv/],
  ])('refuses %s', async (name, content, code, message) => {
    await expect(rowsOf(name, content)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  it('refuses files that are not there and folders', async () => {
    await expect(readRows(join(folder, 'missing.jsonl')).next()).rejects.toMatchObject({
      code: 'COLLIMATE_DATA_FILE_MISSING',
    })
    await writeFile(join(folder, 'file'), 'x')
    await expect(readRows(join(folder, 'file', 'x.jsonl')).next()).rejects.toMatchObject({
      code: 'COLLIMATE_DATA_FILE_MISSING',
    })
  })
})

describe('laws', () => {
  test.prop([fc.json(), fc.nat(), fc.string({ maxLength: 2 })])(
    'scanJson agrees with JSON.parse, on broken text too',
    (json, at, junk) => {
      const cut = at % (json.length + 1)
      for (const text of [json, json.slice(0, cut) + junk + json.slice(cut), json.slice(0, cut)]) {
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        expect(scanJson(text).error === undefined).toBe(valid)
        if (!valid)
          expect(() => parseJson(text, 'f')).toThrow(expect.objectContaining({ code: 'COLLIMATE_DATA_JSON_INVALID' }))
      }
    },
  )

  test.prop([fc.array(fc.jsonValue()), fc.boolean()])('scanJson finds every row', (values, inObject) => {
    const text = JSON.stringify(inObject ? { b: [1], data: values } : values)
    const { rows } = scanJson(text)
    expect(rows.length).toBe(values.length)
    rows.forEach((start, row) => expect(text.slice(start).startsWith(JSON.stringify(values[row]))).toBe(true))
  })

  test.prop([
    fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\r\n\ufeff]/.test(line))),
    fc.array(fc.nat(40)),
  ])('lines do not depend on how the bytes arrive', async (texts, cuts) => {
    const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
    const chunks: Uint8Array[] = []
    let at = 0
    for (const size of [...cuts, bytes.length]) {
      chunks.push(bytes.subarray(at, at + size))
      at += size
    }
    const found: string[] = []
    const source = (async function* () {
      for (const chunk of chunks) yield await Promise.resolve(chunk)
    })()
    for await (const { text, number } of readLines(source, 'f')) {
      expect(number).toBe(found.length + 1)
      found.push(text)
    }
    expect(found).toEqual(texts)
  })
})
