import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { groups } from '@collimate/laws'
import { expect, test } from 'vitest'
import { openLibrary } from '../apps/cli/src/laws/books.js'
import { catalogue } from '../apps/cli/src/laws/catalogue.js'
import { root } from './support/cli.js'

const page = join(root, 'docs/laws.md')

test('docs/laws.md is what the laws say now; `npm run docs:laws` writes it', async () => {
  const { books, broken, lawless } = await openLibrary([], root)
  expect([...broken, ...lawless]).toEqual([])
  const written = await format(catalogue(books), { ...(await resolveConfig(page)), filepath: page })
  expect(readFileSync(page, 'utf8') === written, 'docs/laws.md is stale: npm run docs:laws').toBe(true)
})

test('every group of laws has its chapter, in order', () => {
  const chapters = [...readFileSync(page, 'utf8').matchAll(/^## \d+\. (.*)$/gm)].map(([, title]) => title)
  expect(chapters).toEqual(Object.values(groups))
})
