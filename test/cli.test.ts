import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import dpo from '@collimate/trainer-dpo'
import { loadModel } from '@collimate/models'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { collimate, root, temporaryFolder, writeTinyModel } from './support/cli.js'
import type { Ran } from './support/cli.js'

const folder = temporaryFolder()
const at = (...path: string[]): string => join(folder, ...path)
const model = at('model')
const pairs = join(root, 'examples/data/pairs.jsonl')
const answers = join(root, 'examples/data/answers.jsonl')
const short = ['--max-length', '64', '--threads', '1']

beforeAll(() => writeTinyModel(model))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Everything under the folder, with sizes: what a command that fails must leave as it was. */
const inventory = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => `${name} ${statSync(at(name)).size}`)

/** SFT on the answers, into a folder. */
const sftTo = (output: string, ...flags: readonly string[]): string[] => {
  return ['sft', '--model', model, '--data', answers, '--output', output, ...flags]
}

/** One line with a code, and no stack trace. */
function expectError({ status, stdout, stderr }: Ran, code: string, exit = 1): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('error '))
  expect(lines, stderr).toHaveLength(1)
  expect(lines[0]).toMatch(new RegExp(`^error ${code}: `))
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(status).toBe(exit)
  return lines[0]
}

describe('what is wrong is said in one line, and nothing is left behind', () => {
  const rows = (name: string, ...lines: string[]): string => {
    writeFileSync(at(name), lines.join('\n'))
    return at(name)
  }
  const good = JSON.stringify({ prompt: 'Customer: Hello?\nAgent:', chosen: ' Yes, please.', rejected: ' No.' })
  const train = (data: string, output = 'out'): string[] => [
    'dpo',
    '--model',
    model,
    '--data',
    data,
    '--output',
    at(output),
    ...short,
  ]

  const cases: readonly [string, () => string[], string, RegExp, number?][] = [
    ['a missing file', () => train(at('none.jsonl')), 'COLLIMATE_DATA_FILE_MISSING', /none\.jsonl/],
    [
      'a broken JSON line',
      () => train(rows('broken.jsonl', good, '{"prompt": "a", "chosen": }')),
      'COLLIMATE_DATA_JSON_INVALID',
      /broken\.jsonl.*line 2/,
    ],
    [
      'a row without `rejected`',
      () => train(rows('half.jsonl', good, good, '{"prompt": "a", "chosen": " b"}')),
      'COLLIMATE_DATA_FIELD_MISSING',
      /half\.jsonl, line 3.*`rejected`/,
    ],
    [
      'a model folder without weights',
      () => {
        mkdirSync(at('weightless'), { recursive: true })
        for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
          copyFileSync(join(model, name), at('weightless', name))
        }
        return ['dpo', '--model', at('weightless'), '--data', pairs, '--output', at('out'), ...short]
      },
      'COLLIMATE_\\w+',
      /weightless/,
    ],
    [
      'an unwritable output',
      () => train(pairs, 'model/config.json/out'),
      'COLLIMATE_OUTPUT_NOT_WRITABLE',
      /config\.json/,
    ],
    ['an output with other files', () => train(pairs, '.'), 'COLLIMATE_OUTPUT_\\w+', /choose another|another folder/],
    ['the model as output', () => train(pairs, 'model'), 'COLLIMATE_OUTPUT_\\w+', /model/],
    [
      'an unknown option',
      () => [...train(pairs), '--lerning-rate', '1'],
      'COLLIMATE_USAGE',
      /--lerning-rate.*Did you mean --learning-rate/,
      2,
    ],
    ['a value out of range', () => [...train(pairs), '--beta', '-1'], 'COLLIMATE_OPTION_INVALID', /beta.*-1/, 2],
    ['a value that is no number', () => [...train(pairs), '--beta', 'big'], 'COLLIMATE_USAGE', /--beta.*big/, 2],
    [
      'options that exclude each other',
      () => [...train(pairs), '--steps', '2', '--epochs', '1'],
      'COLLIMATE_OPTION_CONFLICT',
      /steps.*epochs/,
      2,
    ],
    [
      'a setting that leads nowhere',
      () => [...train(pairs), '--set', 'trainer.bata=1'],
      'COLLIMATE_OPTION_UNKNOWN',
      /bata.*beta/,
      2,
    ],
    ['no model', () => ['dpo', '--data', pairs], 'COLLIMATE_USAGE', /--model/, 2],
    ['an unknown command', () => ['dop'], 'COLLIMATE_USAGE', /dop.*Did you mean dpo/, 2],
    ['a missing experiment', () => ['run', at('none.yaml')], 'COLLIMATE_EXPERIMENT_MISSING', /none\.yaml/],
    [
      'an experiment that is not YAML',
      () => ['run', rows('broken.yaml', 'policy: [transformer', 'trainer: dpo')],
      'COLLIMATE_EXPERIMENT_UNREADABLE',
      /broken\.yaml:\d+:\d+/,
    ],
    ['an unknown plugin', () => ['plugins', 'nope'], 'COLLIMATE_USAGE', /nope.*dpo/, 2],
    ['a prompt without a model', () => ['generate', '--model', at('none'), '--prompt', 'x'], 'COLLIMATE_\\w+', /none/],
    ['no prompt', () => ['generate', '--model', model], 'COLLIMATE_USAGE', /--prompt/, 2],
  ]
  test.each(cases)('%s', async (_, args, code, says, exit) => {
    const line = args()
    const before = inventory()
    expect(expectError(await collimate(line), code, exit)).toMatch(says)
    expect(inventory()).toEqual(before)
  })

  test('--debug adds the stack', async () => {
    const { stderr } = await collimate(['run', at('none.yaml'), '--debug'])
    expect(stderr).toMatch(/^\s+at /m)
  })
})

describe('help and inventory', () => {
  test('every command explains itself with examples', async () => {
    const commands = ['sft', 'dpo', 'generate', 'run', 'plugins', 'doctor']
    const helped = await Promise.all(
      [[], ...commands.map((name) => [name])].map((args) => collimate([...args, '--help'])),
    )
    for (const { status, stdout, stderr } of helped) {
      expect(status).toBe(0)
      expect(stderr).toBe('')
      expect(stdout).toContain('Examples:')
    }
  })

  test('every option of the trainer is a flag, with its description', async () => {
    const { stdout } = await collimate(['dpo', '--help'])
    const help = stdout.replace(/\s+/g, ' ')
    const shape = (dpo.definition.options as unknown as { shape: Record<string, { description?: string }> }).shape
    for (const [key, { description }] of Object.entries(shape)) {
      expect(help).toMatch(
        new RegExp(`--(\\[no-\\])?${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}\\b`),
      )
      expect(help).toContain(description?.replace(/\s+/g, ' '))
    }
  })

  test('plugins: by kind, and the options of one', async () => {
    const data = JSON.parse((await collimate(['plugins', '--json'])).stdout) as {
      kind: string
      name: string
      options: { key: string }[]
    }[]
    const names = data.map(({ kind, name }) => `${kind} ${name}`)
    expect(names).toEqual(
      expect.arrayContaining(['backend onnx', 'policy transformer', 'data files', 'trainer sft', 'trainer dpo']),
    )
    expect(
      data.find(({ kind, name }) => kind === 'trainer' && name === 'dpo')?.options.map(({ key }) => key),
    ).toContain('beta')
    expect((await collimate(['plugins', 'dpo'])).stdout).toMatch(/learningRate +number/)
  })

  test('doctor: the processor works, and what is missing comes with what to do', async () => {
    const { status, stdout } = await collimate(['doctor', '--json'])
    const checks = JSON.parse(stdout) as { name: string; state: string; hint?: string }[]
    expect(status).toBe(0)
    expect(checks.find(({ name }) => name === 'onnx cpu')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/^works, float32, \d+ threads?; float16 works$/) as string,
    })
    for (const { state, hint } of checks) if (state !== 'ok') expect(hint).toBeTruthy()
  })

  test('doctor --ops: how each backend computes each op', async () => {
    const { stdout } = await collimate(['doctor', '--ops', '--json'])
    const tables = JSON.parse(stdout) as Record<string, Record<string, { how: string; into: string[] }>>
    expect(Object.keys(tables)).toEqual(expect.arrayContaining(['onnx cpu', 'onnx webgpu', 'tfjs wasm', 'tfjs cpu']))
    expect(tables['tfjs wasm'].log1p).toMatchObject({ how: 'decomposed' })
    expect(tables['tfjs node'].log1p).toEqual({ how: 'kernel', into: ['Log1p'] })
    expect((await collimate(['doctor', '--ops', 'tfjs wasm'])).stdout).toMatch(/^softmax +kernel: Softmax$/m)
    expect((await collimate(['doctor', '--ops', 'nosuch'])).status).toBe(2)
  })

  test('the committed command runs what is built, or says how to build it', () => {
    const bin = join(root, 'apps/cli/bin/collimate.js')
    expect(statSync(bin).mode & 0o111).not.toBe(0)
    expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node/)
  })
})

describe('training and sampling', () => {
  test('dry run: the experiment as YAML, nothing written', async () => {
    const before = inventory()
    const flags = ['--beta', '0.3', '--no-shuffle', '--eval-split', '0.2', '--set', 'evaluateEvery=5', ...short]
    const { status, stdout } = await collimate([
      'dpo',
      '--model',
      model,
      '--data',
      pairs,
      '--output',
      at('dry'),
      '--dry-run',
      ...flags,
    ])
    expect(status).toBe(0)
    const config = parse(stdout) as Record<string, Record<string, unknown>>
    expect(config.trainer).toMatchObject({ use: 'dpo', beta: 0.3, shuffle: false, maxLength: 64 })
    expect(config.data).toMatchObject({ use: 'files', train: pairs, evaluate: 0.2 })
    expect(config).toMatchObject({ evaluateEvery: 5, backend: { threads: 1 } })
    expect(inventory()).toEqual(before)
  })

  test('--precision float16: the steps say how their loss is scaled', async () => {
    const flags = [...short, '--steps', '2', '--logging-steps', '1', '--batch-size', '4', '--precision', 'float16']
    const half = await collimate(sftTo(at('half'), ...flags))
    expect(half.status, half.stderr).toBe(0)
    const lines = readFileSync(at('half/run/metrics.jsonl'), 'utf8').trim().split('\n')
    const scales = lines.map((line) => (JSON.parse(line) as { loss_scale?: number }).loss_scale)
    expect(scales).toEqual([2 ** 16, 2 ** 16])
    const wrong = await collimate(sftTo(at('no'), '--backend', 'tfjs', '--precision', 'float16'))
    expect(expectError(wrong, 'COLLIMATE_OPTION_UNKNOWN', 2)).toContain('"precision"')
  })

  test('sft, then dpo on its model, then generate', async () => {
    const run = [...short, '--steps', '3', '--logging-steps', '1', '--batch-size', '4', '--eval-split', '0.1']
    const sft = await collimate(sftTo(at('sft'), ...run))
    expect(sft.status, sft.stderr).toBe(0)
    const aligned = await collimate(['dpo', '--model', at('sft'), '--data', pairs, '--output', at('aligned'), ...run])
    expect(aligned.status, aligned.stderr).toBe(0)
    expect(aligned.stdout).toContain('eval_rewards/accuracies')
    expect((await loadModel(at('aligned'))).config.vocabularySize).toBe(768)
    expect(readdirSync(at('aligned/run'))).toEqual(
      expect.arrayContaining(['config.json', 'metrics.jsonl', 'events.jsonl']),
    )

    const sampling = ['--model', at('aligned'), '--max-new-tokens', '8', '--seed', '3', '--threads', '1']
    const one = await collimate(['generate', ...sampling, '--prompt', 'Customer: Where is order 11?\nAgent:'])
    expect(one.status, one.stderr).toBe(0)
    expect(one.stdout.trim()).not.toBe('')
    writeFileSync(at('prompts.txt'), 'Customer: Where is order 11?\nCustomer: Do you sell the lamp?\n')
    const many = await collimate(['generate', ...sampling, '--prompts', at('prompts.txt'), '--json'])
    const single = await collimate([
      'generate',
      ...sampling,
      '--prompts',
      at('prompts.txt'),
      '--json',
      '--batch-size',
      '1',
    ])
    const lines = many.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ prompt }) => prompt)).toEqual([
      'Customer: Where is order 11?',
      'Customer: Do you sell the lamp?',
    ])
    expect(single.stdout).toBe(many.stdout)
    expectError(await collimate(['generate', ...sampling, '--prompt', 'x', '--chat']), 'COLLIMATE_TEMPLATE_MISSING')
  })
})

describe('Ctrl-C', () => {
  const endless = (output: string): string[] =>
    sftTo(output, '--steps', '100000', '--set', 'trackers=[{ use: console, interval: 0.2 }]', ...short)
  const manifest = (output: string) =>
    JSON.parse(readFileSync(join(output, 'run/manifest.json'), 'utf8')) as { status: string; steps: number }
  /** Sends SIGINT once the training runs; a second one where the first was understood. */
  const interrupt = (times: 1 | 2) => {
    let sent = 0
    return (text: string, kill: (signal: NodeJS.Signals) => void): void => {
      if ((sent === 0 && text.includes('step ')) || (sent === 1 && times === 2 && text.includes('Ctrl-C again'))) {
        sent += 1
        kill('SIGINT')
      }
    }
  }

  test('ends at a step boundary with the model saved; --resume goes on from there', async () => {
    const output = at('stopped')
    const first = await collimate(endless(output), { onStderr: interrupt(1) })
    expect(first.status, first.stderr).toBe(130)
    expect(first.stdout).toMatch(/stopped after \d+ of 100000 steps.*--resume/)
    const { status, steps } = manifest(output)
    expect(status).toBe('stopped')
    expect((await loadModel(output)).weights).toBeDefined()
    const second = await collimate([...endless(output), '--resume'], { onStderr: interrupt(1) })
    expect(second.status, second.stderr).toBe(130)
    expect(manifest(output).steps).toBeGreaterThan(steps)
  })

  test('a second one ends at once', async () => {
    const output = at('killed')
    const ran = await collimate(endless(output), { onStderr: interrupt(2) })
    expect(ran.status, ran.stderr).toBe(130)
    expect(existsSync(join(output, 'run/manifest.json'))).toBe(true)
  })
})
