import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ran } from './support/cli.js'
import { outside, runLine } from './support/outside.js'
import { blocksOf, type Block } from './support/page.js'

// Follows docs/writing-a-plugin.md outside of the repository: its commands, its files, and the failures that it shows. Only what
// needs a registry (npm install, npm publish) is left out; packages are unpacked from their tarballs instead. The whole page takes
// minutes: `npm run test:create` follows it to the end, `npm test` the reward without its dear lines.

const chapters = blocksOf('writing-a-plugin.md')
const chapter = (title: string): readonly Block[] => chapters.get(title) ?? []
const shells = (title: string): string[] =>
  chapter(title).flatMap(({ language, code }) => (language === 'sh' ? [code] : []))
const codeAfter = (title: string, beginning: string): string => {
  const found = chapter(title).filter(({ code }) => code.startsWith(beginning))
  expect(found, `a block that begins with "${beginning}"`).toHaveLength(1)
  return found[0].code
}

const mode = (import.meta as ImportMeta & { readonly env: { readonly MODE: string } }).env.MODE
const whole = mode === 'every-kind'
const dear = (line: string): boolean => line === 'npm run example' || line.includes('--runs')

let folder: string
beforeAll(async () => void (folder = await outside()))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The lines of a block of commands that need no registry. */
const local = (code: string): string[] =>
  code
    .split('\n')
    .map((line) => line.replace(/ {2,}#.*$/, ''))
    .filter((line) => line !== '' && !/^(cd|export|npm (create|install|publish))\b/.test(line))
    .filter((line) => whole || !dear(line))

async function pass(lines: readonly string[], cwd: string): Promise<void> {
  for (const line of lines) {
    const { status, stdout, stderr } = await runLine(line, cwd)
    expect(status, `${line}\n${stdout}${stderr}`).toBe(0)
  }
}
/** Gives what the line printed. */
async function fail(line: string, cwd: string, ...shown: readonly string[]): Promise<string> {
  const { status, stdout }: Ran = await runLine(line, cwd)
  expect(status, stdout).toBe(1)
  for (const text of shown) expect(stdout).toContain(text)
  return stdout
}

/** What the page shows of a failure, without what depends on the seed. */
const shownFailure = (title: string): string[] =>
  chapter(title)
    .filter(({ language }) => language === '')
    .flatMap(({ code }) => code.trimEnd().split('\n'))
    .filter((line) => !/^ +(replay|counterexample|found) /.test(line))

describe.each([
  ['', 'collimate-plugin-distinct-words'],
  ['A trainer', 'collimate-plugin-confidence-penalty'],
])('chapter "%s"', (title, name) => {
  test.runIf(whole || title === '')('what npm create writes works', async () => {
    const [first] = shells(title)
    // npm finds the package where it is installed, and need not ask.
    await pass([first.slice(0, first.indexOf('\n'))], folder)
    expect(first).toContain(`\ncd ${name}\n`)
    await pass(local(first), join(folder, name))
  })
})

/** A plugin that the page changes. */
function place(name: string): {
  readonly at: string
  write(title: string): void
  edit(file: string, from: string, to: string): void
} {
  const at = join(folder, name)
  return {
    at,
    write(title) {
      for (const { file, code } of chapter(title)) if (file !== undefined) writeFileSync(join(at, file), code)
    },
    edit(file, from, to) {
      const source = readFileSync(join(at, file), 'utf8')
      expect(source.split(from), `"${from}" in ${file}`).toHaveLength(2)
      writeFileSync(
        join(at, file),
        source.replace(from, () => to),
      )
    },
  }
}

test('the reward: the laws find its mistake, and pass the correction', async () => {
  const title = 'Make it yours'
  const { at, write, edit } = place('collimate-plugin-distinct-words')
  write(title)
  edit('example/experiment.yaml', 'target: 4', 'n: 1')
  const [laws, replay, checks] = shells(title)
  const shown = await fail(laws, at, ...shownFailure(title))
  // Seed and path of the page are those of the day on which it was written: replayed is what was found now.
  const [, seed, path] = /replay +seed (-?\d+), path ([\d:]+)/.exec(shown) ?? []
  const replayNow = replay.replace(/--seed -?\d+ --path [\d:]+/, `--seed ${seed} --path ${path}`)
  await fail(replayNow, at, `replay          seed ${seed}, path ${path}`, '(1 case)')
  edit('src/reward.ts', 'return new Set(grams).size / grams.length\n', codeAfter(title, 'return grams'))
  await pass(local(checks), at)
  await pass(local(shells('Publish it')[0]), at)
})

test.runIf(whole)('the trainer: two laws fail on the way, and all hold at the end', async () => {
  const title = 'A trainer'
  const { at, write, edit } = place('collimate-plugin-confidence-penalty')
  const option = codeAfter(title, 'export const options')
  edit('src/options.ts', 'export const options = z.strictObject({ ...trainingShape(defaults) })\n', option)
  await fail('npm run laws', at, 'options/matters/penalty', 'nothing shows what penalty does')
  write(title)
  const use = codeAfter(title, 'const objective')
  edit('src/trainer.ts', "const objective = { use: 'confidence-penalty', options: {} }\n", use)
  await fail('npm run laws', at, ...shownFailure(title))
  edit('src/options.ts', 'nonnegative().default(0.1)', 'nonnegative().default(0)')
  edit('src/options.ts', 'default 0.1', 'default 0')
  await pass([...local(shells(title)[1]), 'npm run typecheck'], at)
  edit('example/experiment.yaml', 'steps: 60', 'penalty: 0.1, steps: 60')
  await pass(['npm run example'], at)
  expect(readFileSync(join(at, 'runs/confidence-penalty/metrics.jsonl'), 'utf8')).toContain('"entropy"')
})
