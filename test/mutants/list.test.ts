import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { groups } from './groups.js'
import { defects, defectsOf, tables } from './listed.js'
import { unexpressed } from './unexpressed.js'

const mutants = groups.flatMap((group) => group.mutants)

test('each mutant has a name of its own and stands for defects that exist', () => {
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length)
  for (const mutant of mutants) expect(defects).toEqual(expect.arrayContaining(defectsOf(mutant)))
})

test('each defect has a mutant, or a reason why not', () => {
  const expressed = new Set(mutants.flatMap(defectsOf))
  expect(defects.filter((defect) => !expressed.has(defect) && !(defect in unexpressed))).toEqual([])
  expect(Object.keys(unexpressed).filter((defect) => expressed.has(defect) || !defects.includes(defect))).toEqual([])
})

test('README.md lists them', async () => {
  const text = await readFile(new URL('README.md', import.meta.url), 'utf8')
  const plain = (markdown: string): string => markdown.replace(/ +/g, ' ').replace(/-{3,}/g, '---').trim()
  expect(plain(text), 'run npm run mutants:list').toContain(plain(tables()))
})
