import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kinds, renderOutside } from 'create-collimate-plugin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ran } from './support/cli.js'
import { copyOfRepository, linkPackage } from './support/workspace.js'
import { runNode } from './support/outside.js'

// `nx g @collimate/workspace:plugin` in a copy of the repository: what it writes fits in with its neighbours.

const mode = (import.meta as ImportMeta & { readonly env: { readonly MODE: string } }).env.MODE
const tried = mode === 'every-kind' ? Object.keys(kinds) : ['reward']

let copy: string
beforeAll(() => void (copy = copyOfRepository()))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

const run = (script: string, ...args: string[]): Promise<Ran> => runNode([join('node_modules', script), ...args], copy)
const generate = (...args: string[]): Promise<Ran> =>
  run('nx/dist/bin/nx.js', 'g', '@collimate/workspace:plugin', ...args)
const ok = ({ status, stdout, stderr }: Ran): string => {
  expect(status, stdout + stderr).toBe(0)
  return stdout
}

describe('a plugin in the repository', () => {
  test.each(tried)('%s', async (kind) => {
    const folder = `plugins/${kind}-my-own`
    ok(await generate('my-own', '--kind', kind, '--skipInstall'))
    linkPackage(copy, folder)
    const { references } = JSON.parse(readFileSync(join(copy, 'tsconfig.json'), 'utf8')) as {
      references: { path: string }[]
    }
    const plugins = references.map(({ path }) => path).filter((path) => path.startsWith('./plugins/'))
    expect(plugins).toContain(`./${folder}`)
    expect(plugins).toEqual([...plugins].sort())
    ok(await run('typescript/bin/tsc', '-b', folder))
    // ESLint knows the projects that Nx has seen.
    ok(await run('nx/dist/bin/nx.js', 'show', 'projects'))
    ok(await run('eslint/bin/eslint.js', folder))
    ok(await run('prettier/bin/prettier.cjs', '--check', folder, 'tsconfig.json'))
    ok(await run('vitest/vitest.mjs', 'run', folder))
    expect(ok(await run('@collimate/cli/bin/collimate.js', 'laws', `${kind}-my-own`, '--runs', '3'))).toMatch(/ 0 fail/)
    const again = await generate('my-own', '--kind', kind, '--skipInstall')
    expect(again.status).not.toBe(0)
    expect(again.stdout + again.stderr).toContain(`${folder} is there already`)
  })
})

test('--outside writes what npm create collimate-plugin does, and nothing here', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'collimate-generated-')), 'mine')
  try {
    ok(await generate('mine', '--kind', 'tracker', '--outside', folder))
    const files = renderOutside('tracker', 'mine')
    for (const [path, content] of files) expect(readFileSync(join(folder, path), 'utf8'), path).toBe(content)
    expect(readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())).toHaveLength(
      files.size,
    )
    expect(existsSync(join(copy, 'plugins/tracker-mine'))).toBe(false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
