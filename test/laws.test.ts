import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { testLaws } from '@collimate/laws'
import ownLaws from '@collimate/laws/laws'
import { afterAll, describe, expect, test } from 'vitest'
import { root, temporaryFolder } from './support/cli.js'
import { claimsWithoutSuite, pluginFolders, suitesOfFolder } from './support/plugin-laws.js'

// Few cases and always the same: this says whether a change broke a law. `npm run laws` looks for new counterexamples.
const options = {
  runs: Number(process.env['COLLIMATE_LAW_RUNS'] ?? 30),
  seed: Number(process.env['COLLIMATE_LAW_SEED'] ?? 1),
}

describe('packages', async () => {
  for (const suite of await ownLaws()) testLaws(suite, { test }, options)
})

for (const folder of pluginFolders(join(root, 'plugins')))
  describe(basename(folder), async () => {
    const suites = await suitesOfFolder(folder).catch((error: Error) => error)
    if (suites instanceof Error)
      return test('has laws', () => {
        throw suites
      })
    for (const suite of suites) testLaws(suite, { test }, options)
    test('gives its suites every claim of its manifest', async () => {
      expect(await claimsWithoutSuite(folder), 'pass `claims: plugin.definition.capabilities` to lawsOf…').toEqual([])
    })
  })

describe('a plugin folder', () => {
  const folder = temporaryFolder()
  afterAll(() => rmSync(folder, { recursive: true }))
  const write = (name: string, exports: object, files: Readonly<Record<string, string>> = {}): string => {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'package.json'), JSON.stringify({ name, type: 'module', exports }))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text)
    return join(folder, name)
  }

  test('is found without being listed, and fails where it has no suite', async () => {
    write('trainer-lawless', { '.': './index.js' })
    write('trainer-unwritten', { './laws': { '@collimate/source': './src/laws.ts' } })
    writeFileSync(join(folder, 'notes.md'), 'not a plugin')
    const folders = pluginFolders(folder)
    expect(folders.map((one) => basename(one))).toEqual(['trainer-lawless', 'trainer-unwritten'])
    for (const one of folders)
      await expect(suitesOfFolder(one)).rejects.toThrow(
        /plugins\/trainer-\w+ has no laws: write src\/laws\.ts and export it as "\.\/laws"/,
      )
  })

  test.each([
    ['no-function', 'export default []', 'is not a function'],
    ['no-list', 'export default async () => ({})', 'does not give a list of suites'],
    ['no-suites', 'export default async () => [{ name: "x" }]', 'does not give a list of suites'],
    ['none', 'export default async () => []', 'there is no suite'],
  ])('fails where its laws are none: %s', async (name, laws, message) => {
    const one = write(name, { './laws': { '@collimate/source': './laws.mjs' } }, { 'laws.mjs': laws })
    await expect(suitesOfFolder(one)).rejects.toThrow(message)
  })

  test('fails where its manifest claims what no suite was given', async () => {
    const plugin = `Object.assign(() => {}, { definition: { kind: 'policy', name: 'x', create() {}, brings: [],
      capabilities: { generate: true, telepathy: true, update: false } } })`
    const suite = `{ contract: 'policy', subject: 'x', laws: [], claims: ['generate'], unsupported: [], unproven: [] }`
    const one = write(
      'policy-claims',
      { '.': { '@collimate/source': './index.mjs' }, './laws': { '@collimate/source': './laws.mjs' } },
      { 'index.mjs': `export default ${plugin}`, 'laws.mjs': `export default async () => [${suite}]` },
    )
    expect(await claimsWithoutSuite(one)).toEqual(['policy x: telepathy'])
  })
})
