import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Codes in the sources of every package, with the first file that has them. */
function codesInSources(): Map<string, string> {
  const found = new Map<string, string>()
  for (const group of ['packages', 'plugins', 'apps'])
    for (const name of readdirSync(join(root, group))) {
      const sources = join(root, group, name, 'src')
      for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.includes('fakes')) continue
        const text = readFileSync(join(sources, file), 'utf8')
        for (const [, code] of text.matchAll(/['"](COLLIMATE_[A-Z_]*[A-Z])['"]/g))
          if (!found.has(code)) found.set(code, join(group, name, 'src', file))
      }
    }
  return found
}

const documented = new Set(
  [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^\| `(COLLIMATE_[A-Z_]+)` +\|/gm)].map(
    ([, code]) => code,
  ),
)

test('every error code of the sources has its line in docs/errors.md', () => {
  const missing = [...codesInSources()]
    .filter(([code]) => !documented.has(code))
    .map(([code, file]) => `${code} (${file})`)
  expect(missing, 'add these to docs/errors.md').toEqual([])
})

test('every line of docs/errors.md is an error code of the sources', () => {
  const codes = codesInSources()
  expect(
    [...documented].filter((code) => !codes.has(code)),
    'remove these from docs/errors.md',
  ).toEqual([])
})
