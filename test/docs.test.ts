import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './support/cli.js'

// Pages name files and what is in them; both move.
const skipped = new Set(['node_modules', 'dist', 'out', 'runs', 'templates', '.cache', '.nx', '.git', '.ci'])

function pagesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (skipped.has(name)) return []
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return pagesIn(path)
    return name.endsWith('.md') ? [path] : []
  })
}

interface Link {
  readonly text: string
  readonly target: string
}

/** Links of a page that lead to a file of ours; what stands in code blocks is no link. */
function linksOf(page: string): Link[] {
  const text = readFileSync(page, 'utf8').replace(/```.*?```/gs, '')
  return [...text.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)]
    .map(([, label, target]) => ({ text: label, target: target.replace(/#.*$/, '') }))
    .filter(({ target }) => target !== '' && !/^[a-z]+:/.test(target))
}

const pages = pagesIn(root)

test('there are pages', () => {
  expect(pages.map((page) => relative(root, page))).toContain('README.md')
})

describe.each(pages.map((page) => [relative(root, page), page] as const))('%s', (_, page) => {
  test('leads to files that are there, and to what it says is in them', () => {
    const wrong = linksOf(page).filter(({ text, target }) => {
      const file = resolve(dirname(page), target)
      if (!existsSync(file)) return true
      // A link that is a name in code must find the name in the file.
      const name = /^`([A-Za-z_$][\w$]*)(?:\(\))?`$/.exec(text)?.[1]
      return name !== undefined && file.endsWith('.ts') && !new RegExp(`\\b${name}\\b`).test(readFileSync(file, 'utf8'))
    })
    expect(wrong).toEqual([])
  })
})
