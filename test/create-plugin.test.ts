import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ran } from './support/cli.js'
import { install, manifestOf, outside, pack, publishedFolders, runNode } from './support/outside.js'

// What a stranger does: packages as npm would install them, a plugin made outside of the repository, its laws, an experiment
// that names it, and a mistake that a law finds. `npm run test:create` does it for every kind.

/** For each kind a mistake (file, what stands there, what is put in its place) and the law that must find it. */
const mistakes = {
  reward: ['src/reward.ts', 'rollouts.map', '[...rollouts].reverse().map', 'reward/batch-mates-do-not-matter'],
  estimator: ['src/reward-to-go.ts', 'if (mask[at] === 0) continue', '', 'estimator/masked-slots'],
  trainer: [
    'src/trainer.ts',
    'learningRateAt(schedule, step)',
    'learningRateAt(schedule, 0)',
    'options/update-settings',
  ],
  objective: ['src/objective.ts', '= neg(t.logProbs)', '= t.logProbs', 'objective/formula'],
  backend: [
    'src/backend.ts',
    '[name, copied(tensor)]))\n      const',
    '[name, tensor]))\n      const',
    'backend/frozen-equals-live',
  ],
  tracker: [
    'src/csv.ts',
    'return () => listening.forEach((stop) => stop())',
    'return () => {}',
    'tracker/leaves-no-listener',
  ],
  data: ['src/memory-source.ts', 'return indices.map', 'return [...indices].sort().map', 'data/read-in-order'],
  evaluator: ['src/answer-length.ts', 'value - margin', 'value + margin', 'evaluator/intervals'],
} as const

type Kind = keyof typeof mistakes
const every = Object.keys(mistakes) as Kind[]
const mode = (import.meta as ImportMeta & { readonly env: { readonly MODE: string } }).env.MODE
const kinds = mode === 'every-kind' ? every : every.slice(0, 1)

let folder: string
beforeAll(async () => void (folder = await outside()))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a program of an installed package. */
const run = (script: string, args: readonly string[], cwd: string): Promise<Ran> =>
  runNode([join(folder, 'node_modules', script), ...args], cwd)
const create = (...args: string[]): Promise<Ran> =>
  run('create-collimate-plugin/bin/create-collimate-plugin.js', args, folder)

const ok = ({ status, stdout, stderr }: Ran): string => {
  expect(status, stdout + stderr).toBe(0)
  return stdout
}

describe('what would be published', () => {
  const packages = publishedFolders().map((path) => [manifestOf(path).name, path] as const)

  test.each(packages)('%s has what it exports, and nothing of the repository', async (name, path) => {
    const place = join(folder, 'node_modules', name)
    const { exports, bin, files } = manifestOf(place)
    expect(files, 'package.json says which files are published').toContain('dist')
    for (const target of Object.values(exports ?? {}).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    ))
      expect(readFileSync(join(place, target)).length, `${name}: ${target}`).toBeGreaterThan(0)
    for (const target of Object.values(bin ?? {}))
      expect(readFileSync(join(place, target), 'utf8')).toMatch(/^#!.*node\n/)
    expect(manifestOf(path).name).toBe(name)
  })
})

describe.each(kinds)('a plugin of kind %s', (kind) => {
  const name = `my-${kind}`
  const packageName = `collimate-plugin-${name}`
  let place: string

  const collimate = (...args: string[]): Promise<Ran> => run('@collimate/cli/bin/collimate.js', args, place)
  const tsc = (...args: string[]): Promise<Ran> => run('typescript/bin/tsc', args, place)

  test('is made where there was nothing', async () => {
    ok(await create(name, '--kind', kind))
    place = join(folder, packageName)
    const again = await create(name, '--kind', kind)
    expect(again.status).toBe(1)
    expect(again.stderr).toMatch(/^error COLLIMATE_OUTPUT_OCCUPIED: [^\n]*\n$/)
  })

  test('type-checks and builds', async () => {
    ok(await tsc())
    ok(await tsc('-p', 'tsconfig.build.json'))
  })

  test('passes its own tests, laws among them', async () => {
    const stdout = ok(await run('vitest/vitest.mjs', ['run', '--reporter=verbose'], place))
    expect(stdout).toContain(`${kind} ${name}`)
  })

  test('keeps its laws, as the command sees them', async () => {
    expect(ok(await collimate('laws', '.', '--runs', '10', '--seed', '1'))).toMatch(
      /\d+ laws hold \(\d+ cases\), 0 fail/,
    )
  })

  test('runs in the experiment of its example, by name', async () => {
    ok(await collimate('run', 'example/experiment.yaml'))
    expect(readFileSync(join(place, 'runs', name, 'config.json'), 'utf8')).toContain(`"${packageName}"`)
  })

  test('packed and installed somewhere else, it is found by its name, with its options and laws', async () => {
    const user = join(folder, `user-of-${kind}`)
    mkdirSync(user, { recursive: true })
    const [[packed, tarball]] = await pack([place], folder)
    expect(packed).toBe(packageName)
    await install(tarball, packageName, join(user, 'node_modules'))
    rmSync(tarball)
    const ask = (...args: string[]): Promise<Ran> => run('@collimate/cli/bin/collimate.js', args, user)
    expect(ok(await ask('plugins', name))).toContain(`${kind} ${name} 0.1.0`)
    expect(ok(await ask('laws', packageName, '--runs', '3'))).toMatch(/ 0 fail/)
  })

  test('a mistake is found by the law that is about it', async () => {
    const [file, right, wrong, law] = mistakes[kind]
    const source = readFileSync(join(place, file), 'utf8')
    expect(source.split(right)).toHaveLength(2)
    writeFileSync(join(place, file), source.replace(right, wrong))
    const { status, stdout, stderr } = await collimate('laws', '.', '--runs', '30', '--json')
    writeFileSync(join(place, file), source)
    expect(status, stdout + stderr).toBe(1)
    const { suites } = JSON.parse(stdout) as {
      suites: { laws: { name: string; status: string; message?: string }[] }[]
    }
    const failed = suites.flatMap(({ laws }) => laws).filter((one) => one.status === 'fails')
    expect(failed.map((one) => one.name)).toContain(law)
    expect(failed.find((one) => one.name === law)?.message).toMatch(/counterexample[^]*replay {10}seed/)
  })
})
