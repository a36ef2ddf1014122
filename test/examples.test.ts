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

describe('story.yaml', () => {
  const output = join(folder, 'story')
  const stages = ['reinforce-0.5', 'reinforce-0.05', 'reinforce-0.005', 'ppo-0.5', 'ppo-0.005', 'dpo-0.1', 'dpo-0.01']
  const reduced = [
    ...['sft.policy.create.config.hidden_size=32', 'sft.policy.create.config.intermediate_size=64'],
    ...['sft.data.train=200', 'sft.data.evaluate=20', 'sft.trainer.steps=20', 'sft.trainer.batchSize=8'],
    ...['reward.data.train=32', 'reward.data.evaluate=20', 'reward.trainer.epochs=1'],
    ...stages.flatMap((stage) => [
      ...[`${stage}.trainer.steps=2`, `${stage}.trainer.batchSize=4`, `${stage}.evaluateEvery=2`],
      ...[`${stage}.evaluators.0.prompts=6`, `${stage}.evaluators.0.maxNewTokens=6`],
      ...(stage.startsWith('dpo') ? [] : [`${stage}.trainer.maxNewTokens=6`]),
    ]),
    `output=${output}`,
  ]

  test('runs as `npm start` does, and compares its stages', async () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
    const [, command] = scripts.start.split('collimate ')
    expect(command).toMatch(/^compare examples\/helpdesk\/story\.yaml --output /)
    const quick = [
      '--prompts',
      '6',
      '--frontier-prompts',
      '2',
      '--frontier-samples',
      '4',
      '--output',
      join(output, 'report'),
    ]
    const made = await collimate(['compare', 'examples/helpdesk/story.yaml', ...settings(...reduced), ...quick])
    expect(made.status, made.stderr).toBe(0)
    const report = JSON.parse(readFileSync(join(output, 'report/report.json'), 'utf8')) as {
      arms: readonly { label: string; evaluations: readonly unknown[] }[]
    }
    expect(report.arms.map(({ label }) => label).sort()).toEqual(
      ['SFT', 'reward model', ...stages.map((stage) => stage.toUpperCase().replace('-', ' β '))].sort(),
    )
    for (const { label, evaluations } of report.arms)
      if (label.includes('β')) expect(evaluations, label).toHaveLength(2)
    expect(made.stdout).toContain('of 7 trained models')
  })
})
