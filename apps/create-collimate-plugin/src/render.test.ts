import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kinds, type Kind } from './kinds.js'
import { namesInside, namesOutside } from './names.js'
import { renderInside, renderOutside } from './render.js'
import { collimateVersion, versions } from './versions.js'
import { writeFiles } from './write.js'

const everyKind = Object.keys(kinds) as Kind[]

describe('names', () => {
  test.each([
    ['word-count', 'word-count', 'collimate-plugin-word-count', 'wordCount'],
    ['collimate-plugin-word-count', 'word-count', 'collimate-plugin-word-count', 'wordCount'],
    ['@me/collimate-plugin-word-count', 'word-count', '@me/collimate-plugin-word-count', 'wordCount'],
    ['@me/words2', 'words2', '@me/collimate-plugin-words2', 'words2'],
    ['delete', 'delete', 'collimate-plugin-delete', 'deletePlugin'],
  ])('%s', (given, name, packageName, identifier) => {
    expect(namesOutside(given)).toEqual({ name, package: packageName, identifier })
  })

  test('a plugin of the repository is named by kind and name', () => {
    expect(namesInside('word-count', 'reward').package).toBe('@collimate/reward-word-count')
  })

  test.each(['', 'Words', 'word_count', '-words', 'words-', '1st', '../words', 'collimate-plugin-', '@me/', 'a b'])(
    'refuses %j',
    (given) => {
      expect(() => namesOutside(given)).toThrow(expect.objectContaining({ code: 'COLLIMATE_USAGE' }))
    },
  )
})

describe.each(everyKind)('a plugin of kind %s', (kind) => {
  test('has its package, options, laws, tests, README and example, and no placeholder', () => {
    const files = renderOutside(kind, '@me/my-plugin')
    expect([...files.keys()]).toEqual(
      expect.arrayContaining([
        ...['package.json', 'tsconfig.json', 'tsconfig.build.json', '.gitignore', 'LICENSE', 'README.md'],
        ...['src/index.ts', 'src/laws.ts', 'src/laws.test.ts', 'src/index.test.ts'],
        ...['example/experiment.yaml', 'example/rows.jsonl', 'example/tokenizer/tokenizer.json'],
      ]),
    )
    for (const [path, content] of files) expect(content, path).not.toMatch(/__[a-zA-Z]+__/)
    const manifest = JSON.parse(files.get('package.json')!) as Record<string, Record<string, string>>
    expect(manifest.name).toBe('@me/collimate-plugin-my-plugin')
    expect(manifest.peerDependencies['@collimate/core']).toBe(`^${collimateVersion}`)
    expect(manifest.dependencies).toEqual({ zod: `^${versions.zod}` })
    expect(files.get('src/index.ts')).toContain(`kind: '${kind}'`)
    expect(files.get('example/experiment.yaml')).toContain("use: '@me/collimate-plugin-my-plugin'")
  })

  test('imports nothing that its package.json does not name', () => {
    for (const files of [renderOutside(kind, 'my-plugin'), renderInside(kind, 'my-plugin')]) {
      const manifest = JSON.parse(files.get('package.json')!) as Record<string, Record<string, string> | undefined>
      const named = new Set(
        ['dependencies', 'devDependencies', 'peerDependencies'].flatMap((field) => Object.keys(manifest[field] ?? {})),
      )
      const published = new Set(
        ['dependencies', 'peerDependencies'].flatMap((field) => Object.keys(manifest[field] ?? {})),
      )
      for (const [path, content] of files) {
        if (!path.endsWith('.ts')) continue
        const allowed = path.startsWith('src/') && !path.endsWith('.test.ts') ? published : named
        for (const [, from] of content.matchAll(/ from '([^.'][^']*)'/g))
          if (!from.startsWith('node:') && from !== 'vitest') expect(allowed, `${path} imports ${from}`).toContain(from)
      }
    }
  })

  test('in the repository has the layout of its neighbours', () => {
    const files = renderInside(kind, 'my-plugin')
    expect([...files.keys()].filter((path) => !path.startsWith('src/'))).toEqual([
      'package.json',
      'tsconfig.json',
      'README.md',
    ])
    const neighbour = JSON.parse(
      readFileSync(new URL('../../../plugins/trainer-sft/package.json', import.meta.url), 'utf8'),
    ) as Record<string, unknown>
    const manifest = JSON.parse(files.get('package.json')!) as Record<string, unknown>
    expect(Object.keys(manifest)).toEqual(Object.keys(neighbour))
    expect(manifest.exports).toEqual(neighbour.exports)
    expect(manifest.nx).toEqual({ tags: ['layer:plugin', `kind:${kind}`] })
    expect(files.get('README.md')).toContain('use: my-plugin')
  })
})

test('versions of what is generated are those that Collimate is tested with', () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as Record<string, Record<string, string>>
  expect({ ...dependencies, ...devDependencies }).toMatchObject(versions)
})

test('nothing is written where something else is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'create-'))
  try {
    writeFiles(join(folder, 'new'), new Map([['src/a.ts', 'a']]))
    expect(readFileSync(join(folder, 'new/src/a.ts'), 'utf8')).toBe('a')
    writeFileSync(join(folder, 'file'), '')
    for (const place of ['new', 'file'])
      expect(() => writeFiles(join(folder, place), new Map([['src/a.ts', 'b']]))).toThrow(
        expect.objectContaining({ code: 'COLLIMATE_OUTPUT_OCCUPIED' }),
      )
    expect(readFileSync(join(folder, 'new/src/a.ts'), 'utf8')).toBe('a')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('every name that is taken gives a package that npm takes, and an identifier', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}$/), (name) => {
      const names = namesOutside(name)
      expect(names.package).toMatch(/^collimate-plugin-[a-z0-9-]+$/)
      expect(() => new Function(`const ${names.identifier} = 1`)).not.toThrow()
    }),
  )
})
