import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '@collimate/cli'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { collimate, root, temporaryFolder, writeTinyModel } from './support/cli.js'
import type { Ran } from './support/cli.js'

const folder = temporaryFolder()
const at = (...path: string[]): string => join(folder, ...path)
const pairs = join(root, 'examples/data/pairs.jsonl')
const model = at('model')
beforeAll(() => writeTinyModel(model))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A command line in this very process. */
async function here(args: readonly string[]): Promise<Ran> {
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text)
      return true
    }),
  )
  try {
    return { status: await run(args), ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

type Config = Record<string, Record<string, unknown> & readonly Record<string, unknown>[]>

describe('an experiment from flags', () => {
  const dry = async (...args: string[]): Promise<Config> => {
    const { status, stdout, stderr } = await here([...args, '--model', model, '--data', pairs, '--dry-run'])
    expect(status, stderr).toBe(0)
    return parse(stdout) as Config
  }

  test('reward: a scalar head on the model', async () => {
    const config = await dry('reward', '--eval-split', '0.2', '--eval-every', '5')
    expect(config).toMatchObject({ policy: { model, head: 'score' }, trainer: { use: 'reward' }, evaluateEvery: 5 })
    expect(config).not.toHaveProperty('reward')
  })

  test('the backend by name, with its device', async () => {
    expect((await dry('sft')).backend).toMatchObject({ use: 'onnx', device: 'cpu' })
    const config = await dry('sft', '--backend', 'tfjs', '--device', 'wasm', '--threads', '1')
    expect(config.backend).toEqual({ use: 'tfjs', device: 'wasm', threads: 1 })
    const flags = ['--model', model, '--data', pairs, '--dry-run']
    const { status, stderr } = await here(['sft', ...flags, '--backend', 'interpreter', '--device', 'gpu'])
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^error COLLIMATE_OPTION_UNKNOWN: backend "interpreter"/),
    ])
  })

  test('reinforce: options of trainer and estimator, each where it belongs; the gold reward judges held-out answers', async () => {
    const config = await dry(
      ...['reinforce', '--reward', model, '--baseline', 'group-std', '--beta', '0.2', '--max-new-tokens', '9'],
      ...['--eval-split', '10', '--gold', '{ use: rule, rules: [{ rule: length, target: 20 }] }'],
    )
    expect(config.trainer).toMatchObject({ use: 'reinforce', beta: 0.2, maxNewTokens: 9 })
    expect(config.estimator).toMatchObject({ use: 'sequence', baseline: 'group-std' })
    expect(config.reward).toMatchObject({ use: 'bradley-terry', model })
    expect(config.evaluators[0]).toMatchObject({
      ...{ use: 'rewards', maxNewTokens: 9, rewards: { gold: { use: 'rule' } } },
    })
  })

  test('ppo: a critic that shares the trunk is a head on the policy', async () => {
    const reward = ['--reward', '{ use: rule, rules: [{ rule: length, target: 20 }] }']
    const separate = await dry('ppo', ...reward, '--lambda', '0.9')
    expect(separate.estimator).toMatchObject({ use: 'gae', lambda: 0.9 })
    expect(separate.policy.head).toBe('auto')
    expect((await dry('ppo', ...reward, '--critic', 'shared')).policy.head).toBe('language+score')
  })
})

test('every command explains itself, with every option of its plugins', async () => {
  for (const [name, words] of [
    ['reward', ['--center-rewards-coefficient']],
    ['reinforce', ['--reward', '--gold', '--num-generations', '--baseline', 'leave-one-out', '--kl-in']],
    ['ppo', ['--reward', '--gold', '--lambda', '--num-ppo-epochs', '--critic <separate|shared>']],
    ['eval', ['--reference', '--reward']],
    ['compare', ['--gold', '--frontier-samples', '--no-measure']],
  ] as const) {
    const { status, stdout, stderr } = await here([name, '--help'])
    expect([status, stderr]).toEqual([0, ''])
    for (const word of ['Examples:', ...words]) expect(stdout).toContain(word)
  }
})

describe('what is wrong is said in one line', () => {
  const files = ['--model', model, '--data', pairs]
  test.each<[string, string[], string, RegExp]>([
    ['no reward', ['ppo', ...files], 'COLLIMATE_USAGE', /--reward is missing/],
    [
      'a gold reward without prompts',
      ['ppo', ...files, '--reward', model, '--gold', model],
      'COLLIMATE_USAGE',
      /--eval-split/,
    ],
    ['a reward that is no YAML', ['ppo', ...files, '--reward', '{ use: '], 'COLLIMATE_USAGE', /--reward/],
    [
      'options that exclude each other',
      ['reinforce', ...files, '--reward', model, '--kl-estimator', 'k2'],
      'COLLIMATE_OPTION_CONFLICT',
      /k2/,
    ],
    [
      'an option of another method',
      ['reinforce', ...files, '--reward', model, '--lambda', '1'],
      'COLLIMATE_USAGE',
      /--lambda/,
    ],
    [
      'a language model as reward',
      ['ppo', ...files, '--reward', model, '--output', at('x')],
      'COLLIMATE_\\w+',
      /model/,
    ],
  ])('%s', async (_, args, code, says) => {
    const { status, stdout, stderr } = await here([...args, '--threads', '1'])
    const lines = stderr.split('\n').filter((line) => line.startsWith('error '))
    expect(lines, stderr).toHaveLength(1)
    expect(lines[0]).toMatch(new RegExp(`^error ${code}: `))
    expect(lines[0]).toMatch(says)
    expect(stdout).toBe('')
    expect(status).not.toBe(0)
  })
})

test('a reward model, then ppo and reinforce on it: each says what it holds and what it cost', async () => {
  const short = ['--batch-size', '4', '--logging-steps', '1', '--threads', '1']
  const held = ['--eval-split', '8', '--eval-every', '1', '--set', 'trackers=[{ use: console, interval: 0 }]']
  const trained = await collimate([
    ...['reward', '--model', model, '--data', pairs, '--steps', '3', '--max-length', '96', '--eval-split', '0.1'],
    ...['--output', at('reward'), ...short],
  ])
  expect(trained.status, trained.stderr).toBe(0)
  expect(trained.stdout).toContain('eval_accuracy')
  writeFileSync(
    at('prompts.jsonl'),
    Array.from({ length: 24 }, (_, i) => `{"prompt":"Customer: Order ${i}?\\nAgent:"}\n`).join(''),
  )
  const data = ['--data', at('prompts.jsonl'), '--reward', at('reward'), '--max-new-tokens', '6', '--steps', '2']
  const gold = ['--gold', '{ use: rule, rules: [{ rule: length, target: 3 }] }']
  for (const method of ['ppo', 'reinforce']) {
    const ran = await collimate([method, '--model', model, ...data, ...gold, ...held, '--output', at(method), ...short])
    expect(ran.status, ran.stderr).toBe(0)
    for (const shown of ['eval_reward', 'eval_gold', 'eval_kl']) expect(ran.stdout).toContain(shown)
    expect(ran.stderr).toMatch(/step 1\/2 .* {2}reward -?[\d.e-]+ {2}kl /)
    expect(ran.stderr).toMatch(method === 'ppo' ? /holds \d models \(policy .*critic/ : /holds \d models \(policy /)
    expect(ran.stderr).toMatch(/trained on .* tokens and sampled \d+ in/)
    const { resources } = JSON.parse(readFileSync(at(method, 'run/manifest.json'), 'utf8')) as {
      resources: { models: { role: string }[] }
    }
    expect(resources.models.map(({ role }) => role).sort()).toEqual(
      method === 'ppo' ? ['critic', 'policy', 'reference', 'reward'] : ['policy', 'reference', 'reward'],
    )
  }
})
