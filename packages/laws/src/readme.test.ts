import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const readme = readFileSync(join(root, 'packages/laws/README.md'), 'utf8')
let folder: string

// Inside the repository, so that `@collimate/laws` is found.
beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true })
  folder = mkdtempSync(join(root, '.cache/readme-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [, name, code] of readme.matchAll(/```ts\n\/\/ (\S+)\n([^]*?)```/g))
    if (!name.includes('/')) writeFileSync(join(folder, name), code)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    const all = ['--import', import.meta.resolve('tsx'), '--conditions=@collimate/source', ...args]
    const env = { ...process.env, NODE_OPTIONS: '' }
    execFile(process.execPath, all, { cwd: folder, env }, (_, out, err) => resolve(out + err))
  })

test('the example without a runner finds what the README says', async () => {
  const out = await run('check.ts')
  expect(out).toMatch(/^kl\/k3-unbiased: holds \(\d+ cases\)$/m)
  const [, shown] = /```\n(kl\/k3-not-negative[^]*?)```/.exec(readme)!
  for (const line of shown.split('\n').slice(0, 3)) expect(out).toContain(line)
})

test('the example for vitest finds the same under node:test', async () => {
  const text = readFileSync(join(folder, 'k3.test.ts'), 'utf8')
  writeFileSync(join(folder, 'k3.node.test.ts'), text.replace(`'vitest'`, `'node:test'`))
  const out = await run('--test', '--test-reporter=tap', 'k3.node.test.ts')
  expect(out).toMatch(/not ok \d+ - mathematics my estimators: kl\/k3-not-negative/)
  expect(out).toMatch(/ok \d+ - mathematics my estimators: declared unsupported: gae .*# SKIP/)
})

test('the README names every kind of suite, and none that is not there', async () => {
  const exported = Object.keys(await import('./index.js')).filter((name) => /^lawsOf[A-Z]/.test(name))
  const named = [...readme.matchAll(/`(lawsOf[A-Z]\w+)`/g)].map(([, name]) => name)
  expect([...new Set(named)].sort()).toEqual(exported.sort())
})
