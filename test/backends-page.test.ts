import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { opNames, ops, type OpName } from '@collimate/graph'
import { float16Tolerance, float32Tolerance, productOps } from '@collimate/laws'
import { describe, expect, test } from 'vitest'
import { providers } from '../tools/backend-errors/src/providers.js'
import { root } from './support/cli.js'

/*
 * Digits differ between machines, so the page is not compared with a fresh one: it has to have every op and every provider,
 * and nothing on it may be more than the laws allow.
 */
const page = readFileSync(join(root, 'docs/backends.md'), 'utf8')
const stale = 'docs/backends.md is stale: npm run docs:backends'

/** The rows of the table under a heading, as cells. */
function rowsUnder(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [lines = ''] = section.split('\n## ')
  const rows = lines.split('\n').filter((line) => line.startsWith('|'))
  return rows.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

const [, , ...measured] = rowsUnder('Providers')
const ran = measured.map(([name]) => name)

test('every provider is there, measured or with the reason why not', () => {
  const [, section = ''] = page.split('\n## Not run\n')
  const [lines = ''] = section.split('\n## ')
  const reasons = [...lines.matchAll(/^- `([^`]+)`: \S+/gm)].map(([, name]) => name)
  expect([...ran, ...reasons].toSorted(), stale).toEqual(providers.map(({ name }) => name).toSorted())
  for (const [name, precision] of measured) expect(precision, name).toMatch(/^float(32|64)/)
})

test('what every machine has was measured', () => {
  expect(ran, stale).toEqual(
    expect.arrayContaining(['interpreter', 'onnx cpu', 'onnx cpu float16', 'tfjs wasm', 'tfjs cpu']),
  )
})

describe.each([
  ['Values', opNames],
  ['Derivatives', opNames.filter((op) => op !== 'constant' && op !== 'stopGradient' && !('noGradient' in ops[op]))],
])('%s', (heading, expected) => {
  const [head = [], , ...rows] = rowsUnder(heading)

  test('have a row for each op, and a column for each provider that rounds', () => {
    expect(
      rows.map(([op]) => op),
      stale,
    ).toEqual(expected)
    expect(head, stale).toEqual(['op', ...ran.filter((name) => name !== 'interpreter')])
  })

  test('are all within what the laws allow', () => {
    const [, ...columns] = head
    const allowed = (op: string, provider: string) =>
      provider.endsWith('float16') && productOps.has(op as OpName) ? float16Tolerance : float32Tolerance
    const beyond = rows.filter(([op, ...errors]) =>
      errors.some((error, i) => !(error !== '' && Number(error) <= allowed(op, columns[i]))),
    )
    expect(beyond).toEqual([])
  })
})
