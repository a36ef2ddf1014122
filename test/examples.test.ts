import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { helpdeskFiles } from '../examples/helpdesk/files.js'
import { openings } from '../examples/stories/openings.js'
import { collimate, root, runSource, temporaryFolder, writeTinyModel } from './support/cli.js'

// Every example as it lies there, at reduced size.
const folder = temporaryFolder()
const model = join(folder, 'model')
beforeAll(() => writeTinyModel(model))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settings = (...values: string[]): string[] => values.flatMap((value) => ['--set', value])

test('the committed tokenizer and rows are what the grammar gives', () => {
  for (const [path, content] of Object.entries(helpdeskFiles())) {
    expect(readFileSync(join(root, 'examples/helpdesk', path), 'utf8') === content, `${path}: run files.ts`).toBe(true)
  }
})

test('the committed openings of stories are what openings.ts gives', () => {
  const lines = openings().map((row) => `${JSON.stringify(row)}\n`)
  expect(readFileSync(join(root, 'examples/data/openings.jsonl'), 'utf8')).toBe(lines.join(''))
})

describe('one experiment', () => {
  test.each([
    ['sft', 'eval_mean_token_accuracy'],
    ['dpo', 'eval_rewards/accuracies'],
  ])('%s.yaml', async (name, metric) => {
    const output = join(folder, name)
    const reduced = settings(`policy.model=${model}`, `output=${output}`, 'trainer.epochs=0.2', 'trainer.maxLength=64')
    const { status, stdout, stderr } = await collimate(['run', `examples/${name}.yaml`, ...reduced])
    expect(status, stderr).toBe(0)
    expect(stdout).toContain(metric)
    expect(existsSync(join(output, 'model/model.safetensors'))).toBe(true)
  })

  test('dpo.ts', async () => {
    const pairs = join(root, 'examples/data/pairs.jsonl')
    const { status, stdout, stderr } = await runSource('examples/dpo.ts', [model, pairs], { cwd: folder })
    expect(status, stderr).toBe(0)
    expect(stdout).toMatch(/^1 0\.693/)
    expect(existsSync(join(folder, 'runs/dpo-from-code/model/model.safetensors'))).toBe(true)
  })
})

describe('helpdesk.yaml', () => {
  const output = join(folder, 'helpdesk')
  const reduced = [
    ...['sft.policy.create.config.hidden_size=32', 'sft.policy.create.config.intermediate_size=64'],
    ...['sft.data.train=400', 'sft.data.evaluate=20', 'sft.trainer.steps=40'],
    ...['dpo.data.train=200', 'dpo.data.evaluate=30', 'dpo.trainer.steps=10'],
    ...['dpo.evaluators.0.prompts=12', 'dpo.evaluators.0.maxNewTokens=12', 'dpo.evaluators.0.samples=2'],
    `output=${output}`,
  ]
  const run = (...more: string[]) =>
    collimate(['run', 'examples/helpdesk/helpdesk.yaml', ...settings(...reduced), ...more])
  const finished = (stage: string): string =>
    (JSON.parse(readFileSync(join(output, stage, 'manifest.json'), 'utf8')) as { finishedAt: string }).finishedAt

  test('runs, shows answers before and after, and is not run again', async () => {
    const first = await run()
    expect(first.status, first.stderr).toBe(0)
    for (const shown of ['win_rate', 'reward/difference', 'Customer:', 'reference', 'policy']) {
      expect(first.stdout).toContain(shown)
    }
    const times = [finished('sft'), finished('dpo')]
    const second = await run()
    expect(second.status, second.stderr).toBe(0)
    for (const shown of ['win_rate', 'Customer:', 'reference', 'policy']) expect(second.stdout).toContain(shown)
    expect([finished('sft'), finished('dpo')]).toEqual(times)
    const fresh = await run('--fresh')
    expect(fresh.status, fresh.stderr).toBe(0)
    expect(finished('sft')).not.toBe(times[0])
  })

  test('a dry run prints the pipeline', async () => {
    const { status, stdout, stderr } = await collimate(['run', 'examples/helpdesk/helpdesk.yaml', '--dry-run'])
    expect(status, stderr).toBe(0)
    expect(stdout).toContain('stages:')
  })
})
