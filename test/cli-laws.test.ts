import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collimate, root, temporaryFolder } from './support/cli.js'

const folder = temporaryFolder()
const put = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const address = (path: string): string => pathToFileURL(join(root, path)).href
const imports = `import fc from '${import.meta.resolve('fast-check')}'
import { law, suiteOf } from '${address('packages/laws/src/index.ts')}'
`

/** A module of laws about a plugin of one number: `score` is the number of words, or something else. */
const lawsModule = (score: string, claims = '{ counts: true }'): string => `${imports}
const score = ${score}
const words = (text: string): number => text.split(' ').length
export default async function laws() {
  return [suiteOf({
    contract: 'reward', subject: 'words', claims: ${claims},
    laws: [
      law({
        name: 'reward/words', statement: 'The score of a text is its number of words.', formula: 's = |words|',
        source: 'the plugin', capability: 'counts', arbitrary: fc.array(fc.constant('a'), { minLength: 1 }),
        show: (text: string[]) => \`"\${text.join(' ')}"\`,
        holds: (text: string[]) => {
          const [found, expected] = [score(text.join(' ')), words(text.join(' '))]
          if (found !== expected) throw new Error(\`\${found}, not \${expected}\`)
        },
      }),
      law({
        name: 'reward/finite', statement: 'A score is finite.', formula: '|s| < ∞', source: 'the contract',
        arbitrary: fc.string(), holds: (text: string) => Number.isFinite(score(text)),
      }),
      law({
        name: 'reward/order', statement: 'Scores keep their order.', formula: 'a ≻ b', source: 'nobody',
        capability: 'ranks', arbitrary: fc.string(), holds: () => undefined,
      }),
    ],
  })]
}
`
const right = `(text: string): number => text.split(' ').length`
const wrong = `(text: string): number => Math.min(3, text.split(' ').length)`
const plugin = (
  capabilities: string,
): string => `import { definePlugin } from '${address('packages/core/src/index.ts')}'
import { z } from '${import.meta.resolve('zod')}'
export default definePlugin({
  name: 'words', version: '0.1.0', engine: '^0.1.0', kind: 'reward', description: 'for tests', options: z.object({}),
  capabilities: ${capabilities}, create: () => ({ score: async () => ({ scores: [] }) }),
})
`

beforeAll(() => {
  put('good/package.json', JSON.stringify({ name: 'good', type: 'module' }))
  put('good/src/index.ts', plugin('{ counts: true }'))
  put('good/src/laws.ts', lawsModule(right))
  put('lawless/package.json', JSON.stringify({ name: 'lawless', type: 'module', exports: './index.js' }))
  put('capped.ts', plugin('{ counts: true }'))
  put('capped.laws.ts', lawsModule(wrong))
  put('boastful.ts', plugin('{ counts: true, telepathy: true }'))
  put('boastful.laws.ts', lawsModule(right))
  put('vain.laws.ts', lawsModule(right, '{ counts: true, telepathy: true }'))
  put('modest.laws.ts', lawsModule(right, '{}'))
  put('alone/reward.ts', plugin('{}'))
  put('alone/laws.ts', lawsModule(right))
  put('invalid.laws.ts', 'export default []')
  put('slow.laws.ts', lawsModule(`(text: string): number => { process.stderr.write('case '); return 1 }`))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const laws = (...args: string[]) => collimate(['laws', ...args], { cwd: folder })

describe('laws of local plugins', () => {
  test('a folder: its laws hold, with how many cases were tried, and what is declared unsupported', async () => {
    const { status, stdout, stderr } = await laws('./good', '--runs', '40', '--seed', '5')
    expect(stdout).toMatch(/^\.\/good: reward words\n {2}holds +40 {2}reward\/words +The score of a text is its number/)
    expect(stdout).toMatch(/^ {2}holds +40 {2}reward\/finite/m)
    expect(stdout).toMatch(/^ {2}- +declared unsupported +ranks \(reward\/order\)$/m)
    expect(stdout).toMatch(/\n2 laws hold \(80 cases\), 0 fail, 1 declared unsupported; seed 5\n$/)
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('a law that fails: the sentence, the smallest counterexample, and a replay that finds it at once', async () => {
    const { status, stdout } = await laws('./capped.ts', '--seed', '7')
    expect(status).toBe(1)
    expect(stdout).toMatch(/^ {2}FAILS +\d+ {2}reward\/words/m)
    expect(stdout).toMatch(/^ {4}reward\/words: The score of a text is its number of words\.$/m)
    expect(stdout).toMatch(/^ {6}counterexample {2}"a a a a"$/m)
    expect(stdout).toMatch(/^ {6}found {11}3, not 4$/m)
    expect(stdout).toMatch(/1 law holds \(\d+ cases\), 1 fails, 1 declared unsupported; seed 7\n$/)
    const path = /replay {10}seed 7, path ([\d:]+)/.exec(stdout)![1]
    const again = await laws('capped.laws.ts', '--law', 'reward/words', '--seed', '7', '--path', path)
    expect(again.stdout).toMatch(/^ {2}FAILS +1 {2}reward\/words/m)
    expect(again.stdout).toMatch(/counterexample {2}"a a a a"/)
    expect(again.stdout).not.toContain('reward/finite')
    expect(again.status).toBe(1)
  })

  test('a claim that no law checks fails, and so does one of the manifest that no suite was given', async () => {
    const vain = await laws('./vain.laws.ts')
    expect(vain.stdout).toMatch(/^ {2}FAILS +claim telepathy +the manifest claims "telepathy", and no law/m)
    expect(vain.status).toBe(1)
    const boastful = await laws('./boastful.ts')
    expect(boastful.stdout).toContain(
      './boastful.ts: FAILS: its manifest claims reward words: telepathy, and no suite was given it',
    )
    expect(boastful.status).toBe(1)
  })

  test('what is not claimed is not checked, and holds', async () => {
    const { status, stdout } = await laws('./modest.laws.ts')
    expect(stdout).toMatch(/declared unsupported +counts \(reward\/words\), ranks \(reward\/order\)/)
    expect(status).toBe(0)
  })

  test('laws.ts beside a plugin file are its laws', async () => {
    expect((await laws('alone/reward.ts', '--runs', '3')).stdout).toMatch(/^alone\/reward\.ts: reward words/)
  })

  test('--json for programs', async () => {
    const { status, stdout } = await laws('./capped.ts', './good', '--json', '--seed', '7')
    const data = JSON.parse(stdout) as { suites: { package: string; laws: { name: string; status: string }[] }[] }
    expect(data).toMatchObject({ holds: 3, fails: 1, unsupported: 2, runs: 100, seed: 7, interrupted: false })
    expect(data.suites.map((suite) => [suite.package, suite.laws.map((law) => law.status)])).toEqual([
      ['./capped.ts', ['fails', 'holds']],
      ['./good', ['holds', 'holds']],
    ])
    expect(data.suites[0].laws[0]).toMatchObject({
      name: 'reward/words',
      message: expect.stringContaining('"a a a a"') as string,
    })
    expect(status).toBe(1)
  })

  test('--list tells the laws and checks none', async () => {
    const { status, stdout } = await laws('./capped.ts', '--list')
    expect(stdout).toContain(
      '### `reward/words`\n\nThe score of a text is its number of words.\n\n- formula: `s = |words|`',
    )
    expect(status).toBe(0)
  })
})

describe('laws of installed plugins', () => {
  test.each([['dpo'], ['trainer-dpo'], ['@collimate/trainer-dpo']])('%s by name', async (name) => {
    const { status, stdout } = await laws(name, '--runs', '3', '--law', 'bradley-terry', '--subject', 'hinge')
    expect(stdout).toMatch(/^trainer-dpo: objective dpo \(hinge/)
    expect(stdout).toContain('bradley-terry/monotone')
    expect(stdout).not.toContain('split/')
    expect(status).toBe(0)
  })
})

describe('what is wrong is said in one line', () => {
  const cases: readonly [string, string[], string, RegExp, number][] = [
    ['a name that nobody has', ['trainer-dop'], 'COLLIMATE_USAGE', /did you mean "trainer-dpo"\?/, 2],
    ['a path that is not there', ['./nowhere'], 'COLLIMATE_PLUGIN_UNKNOWN', /nowhere/, 1],
    ['a folder without laws', ['./lawless'], 'COLLIMATE_LAWS_MISSING', /write src\/laws\.ts/, 1],
    ['laws that are none', ['./invalid.laws.ts'], 'COLLIMATE_LAWS_INVALID', /not a function/, 1],
    ['a law that nobody has', ['./good', '--law', 'reward/wrods'], 'COLLIMATE_USAGE', /mean "reward\/words"/, 2],
    ['a subject that is not there', ['./good', '--subject', 'x'], 'COLLIMATE_USAGE', /subjects: words/, 2],
    ['no runs', ['./good', '--runs', '0'], 'COLLIMATE_USAGE', /--runs/, 2],
    ['a seed that is no number', ['./good', '--seed', 'x'], 'COLLIMATE_USAGE', /--seed/, 2],
    ['a path without its law', ['./good', '--path', '1:0'], 'COLLIMATE_USAGE', /--law and --seed/, 2],
  ]
  test.each(cases)('%s', async (_, args, code, says, exit) => {
    const { status, stdout, stderr } = await laws(...args)
    expect(stderr).toMatch(new RegExp(`^error ${code}: .*\n$`))
    expect(stderr).toMatch(says)
    expect(stdout).toBe('')
    expect(status).toBe(exit)
  })
})

describe('Ctrl-C', () => {
  test('ends after the case that is being tried, and says what was found until then', async () => {
    let sent = false
    const { status, stdout, stderr } = await collimate(
      ['laws', './slow.laws.ts', '--law', 'reward/finite', '--runs', '1000000000'],
      {
        cwd: folder,
        onStderr(text, kill) {
          if (sent || !text.includes('case')) return
          sent = true
          kill('SIGINT')
        },
      },
    )
    expect(stderr).toMatch(/stopping after this case/)
    expect(stdout).toMatch(/interrupted: 0 laws hold/)
    expect(status).toBe(130)
  })
})
