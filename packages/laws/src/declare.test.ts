import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { testLaws, type TestRunner } from './declare.js'
import { law } from './law.js'
import { suiteOf } from './suite.js'

const holding = (name: string, capability?: string) =>
  law({
    name: `kl/${name}`,
    statement: 'It holds.',
    formula: '1 = 1',
    source: 'test',
    arbitrary: fc.nat(),
    holds: () => undefined,
    ...(capability === undefined ? {} : { capability }),
  })
const failing = { ...holding('broken'), statement: 'It does not hold.', holds: () => Promise.reject(new Error('no')) }

/** A runner that only remembers. */
function remember(): { runner: TestRunner; tests: Map<string, () => Promise<void>>; skipped: string[] } {
  const tests = new Map<string, () => Promise<void>>()
  const skipped: string[] = []
  const register = (name: string, run: () => Promise<void>): void => void tests.set(name, run)
  return { runner: { test: Object.assign(register, { skip: (name: string) => skipped.push(name) }) }, tests, skipped }
}

describe('a suite and a test runner', () => {
  let closed = false
  const suite = suiteOf({
    contract: 'policy',
    subject: 'tiny',
    laws: [holding('always'), failing, holding('sampled', 'generate')],
    claims: { telepathy: true, generate: false },
    close: async () => void (closed = true),
  })

  test('one test per law and per claim without a law, one that closes; what is declared unsupported is skipped by name', async () => {
    const { runner, tests, skipped } = remember()
    const reported: string[] = []
    testLaws(suite, runner, { report: (line) => reported.push(line) })
    expect([...tests.keys()]).toEqual([
      'policy tiny: kl/always: It holds.',
      'policy tiny: kl/broken: It does not hold.',
      'policy tiny: claims telepathy',
      'policy tiny: closes',
    ])
    expect(skipped).toEqual(['policy tiny: declared unsupported: generate (kl/sampled)'])
    expect(reported).toEqual(skipped)
    await tests.get('policy tiny: kl/always: It holds.')!()
    await expect(tests.get('policy tiny: kl/broken: It does not hold.')!()).rejects.toThrow(
      /kl\/broken: It does not hold\.[^]*counterexample {2}0[^]*seed -?\d+, path/,
    )
    await expect(tests.get('policy tiny: claims telepathy')!()).rejects.toThrow(
      'the manifest claims "telepathy", and no law of the contract "policy" checks it',
    )
    expect(closed).toBe(false)
    await tests.get('policy tiny: closes')!()
    expect(closed).toBe(true)
  })

  test('a runner that cannot skip gets a test that says it', () => {
    const names: string[] = []
    testLaws(suite, { test: (name) => names.push(name) })
    expect(names).toContain('policy tiny: declared unsupported: generate (kl/sampled)')
  })
})

describe('under vitest', () => {
  testLaws(
    suiteOf({ contract: 'policy', subject: 'tiny', laws: [holding('always'), holding('sampled', 'generate')] }),
    { test },
    { runs: 5 },
  )
})

describe('under node:test', () => {
  const folder = mkdtempSync(join(tmpdir(), 'collimate-laws-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  /** What `node --test` says of a file that binds one law. */
  function nodeTest(name: string, holds: string, claims: string): Promise<{ status: number; out: string }> {
    const file = join(folder, `${name}.test.mjs`)
    writeFileSync(
      file,
      `import { test } from 'node:test'
import fc from '${import.meta.resolve('fast-check')}'
import { law, suiteOf, testLaws } from '${new URL('index.ts', import.meta.url).href}'

const positive = law({
  name: 'kl/positive', statement: 'A divergence is not negative.', formula: 'KL ≥ 0', source: 'Gibbs',
  arbitrary: fc.integer(), holds: ${holds},
})
const sampled = law({ ...positive, name: 'kl/sampled', capability: 'generate', holds: () => {} })
testLaws(suiteOf({ contract: 'policy', subject: 'tiny', laws: [positive, sampled], claims: ${claims} }), { test }, { seed: 1 })
`,
    )
    const args = [
      '--import',
      import.meta.resolve('tsx'),
      '--conditions=@collimate/source',
      '--test',
      '--test-reporter=tap',
      file,
    ]
    const env = { ...process.env, NODE_OPTIONS: '' }
    return new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : Number(error.code), out: stdout + stderr }),
      )
    })
  }

  test('a law that holds passes; what is not claimed is skipped by name', async () => {
    const { status, out } = await nodeTest('sound', '() => {}', '{}')
    expect(out).toMatch(/^\s*ok \d+ - policy tiny: kl\/positive: A divergence is not negative\.$/m)
    expect(out).toMatch(/declared unsupported: generate \(kl\/sampled\) # SKIP/)
    expect(status, out).toBe(0)
  })

  test('a law that does not hold fails with its counterexample, a claim without a law by its name', async () => {
    const { status, out } = await nodeTest('broken', '(n) => n > -5', '{ generate: true, telepathy: true }')
    expect(out).toContain('kl/positive: A divergence is not negative.')
    expect(out).toMatch(/counterexample {2}-5\b/)
    expect(out).toMatch(/replay {10}seed 1, path/)
    expect(out).toMatch(/not ok \d+ - policy tiny: claims telepathy/)
    expect(out).toMatch(/^\s*ok \d+ - policy tiny: kl\/sampled/m)
    expect(status).toBe(1)
  })
})
