import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

// ESLint's boundary rule is silently skipped when Nx has no project graph; this test notices.
const root = fileURLToPath(new URL('..', import.meta.url))
const env = { ...process.env, NX_NO_CLOUD: 'true', NX_DAEMON: 'false', NX_TUI: 'false' }
const written: string[] = []

function lint(file: string, source: string): string {
  writeFileSync(root + file, source)
  written.push(file)
  try {
    return execFileSync(process.execPath, ['node_modules/eslint/bin/eslint.js', file], {
      cwd: root,
      env,
      encoding: 'utf8',
    })
  } catch (error) {
    return (error as { stdout: string }).stdout
  } finally {
    rmSync(root + file)
  }
}

afterAll(() => written.forEach((file) => rmSync(root + file, { force: true })))

describe('import rules', () => {
  test('each forbidden import fails the lint, a permitted one passes', () => {
    execFileSync(process.execPath, ['node_modules/nx/dist/bin/nx.js', 'show', 'projects'], { cwd: root, env })
    const importing = (name: string) => `import * as imported from '${name}'\n\nexport const keep = imported\n`
    for (const [file, name] of [
      ['packages/graph/src/boundary-proof.ts', '@collimate/core'],
      ['packages/core/src/boundary-proof.ts', '@collimate/graph'],
      ['packages/data/src/boundary-proof.ts', '@collimate/models'],
      ['plugins/trainer-sft/src/boundary-proof.ts', '@collimate/backend-onnx'],
    ])
      expect(lint(file, importing(name)), `${file} imports ${name}`).toContain('@nx/enforce-module-boundaries')
    expect(lint('plugins/trainer-sft/src/boundary-proof.ts', importing('@collimate/core'))).not.toContain(
      'module-boundaries',
    )
  })
})
