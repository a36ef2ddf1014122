import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportSchema } from '@collimate/report'
import type { Report } from '@collimate/report'
import { run } from '@collimate/cli'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { collimate, root, temporaryFolder, writeTinyModel } from './support/cli.js'
import type { Ran } from './support/cli.js'

const folder = temporaryFolder()
const at = (...path: string[]): string => join(folder, ...path)
const gold = join(root, 'examples/helpdesk/gold.ts')
const corpus = join(root, 'examples/helpdesk/corpus.ts')
const pairs = join(root, 'examples/data/pairs.jsonl')

/** An SFT run and DPO at two β that begin with its model: as small as a run can be. */
const story = `
name: story
seed: 1
output: ./runs
backend: { use: onnx, threads: 1 }
stages:
  sft:
    policy: { use: transformer, model: ./model }
    data: { use: ${corpus}, train: 40, evaluate: 8 }
    trainer: { use: sft, steps: 2, batchSize: 4, learningRate: 0.01, maxLength: 64, loggingSteps: 1 }
  dpo-strong: &dpo
    policy: { use: transformer, model: '\${sft.model}' }
    data: { use: ${corpus}, train: 40, evaluate: 8 }
    trainer: { use: dpo, beta: 0.5, steps: 4, batchSize: 4, learningRate: 0.02, maxLength: 96, loggingSteps: 1 }
    evaluateEvery: 2
    evaluateAtStart: true
    evaluators: [{ use: rewards, rewards: { gold: ${gold} }, prompts: 6, maxNewTokens: 6 }]
  dpo-weak:
    <<: *dpo
    trainer: { use: dpo, beta: 0.05, steps: 4, batchSize: 4, learningRate: 0.02, maxLength: 96, loggingSteps: 1 }
`

beforeAll(async () => {
  await writeTinyModel(at('model'))
  writeFileSync(at('story.yaml'), story)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const quick = ['--prompts', '6', '--frontier-prompts', '2', '--frontier-samples', '8', '--threads', '1']
const read = (output: string): { report: Report; page: string } => ({
  report: reportSchema.parse(JSON.parse(readFileSync(join(output, 'report.json'), 'utf8'))),
  page: readFileSync(join(output, 'report.html'), 'utf8'),
})

/** A command line in this very process: refusals need no other one. */
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

function expectError({ status, stdout, stderr }: Ran, code: string, exit: number): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('error '))
  expect(lines, stderr).toHaveLength(1)
  expect(lines[0]).toMatch(new RegExp(`^error ${code}: `))
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(status).toBe(exit)
  return lines[0]
}

describe('compare', () => {
  test('runs what is to be run, measures every model, and writes the page and its numbers', async () => {
    const ran = await collimate(['compare', at('story.yaml'), '--output', at('report'), ...quick])
    expect(ran.status, ran.stderr).toBe(0)
    expect(ran.stdout).toContain('The highest gold reward is that of')
    const { report, page } = read(at('report'))
    expect(report.arms.map(({ label }) => label)).toEqual(['SFT', 'DPO β 0.5', 'DPO β 0.05'])
    expect(report.arms.map(({ isReference }) => isReference)).toEqual([true, false, false])
    expect(report.measured).toMatchObject({ prompts: 6, maxNewTokens: 6, judge: 'gold', rewards: ['gold'] })
    expect(report.arms[0].final?.kl.value).toBe(0)
    expect(report.arms[2].final?.kl.value).toBeGreaterThan(0)
    expect(report.arms[2].evaluations.map(({ step }) => step)).toEqual([0, 2, 4])
    // The last evaluation of the run and the measurement now are of the same policy.
    expect(report.arms[2].evaluations[2].metrics.gold.count).toBe(report.arms[2].final?.gold.count)
    expect(report.winRates?.cells).toHaveLength(3)
    expect(report.frontiers).toHaveLength(1)
    expect(report.methods.find(({ method }) => method === 'dpo')?.models.map(({ role }) => role)).toEqual([
      'policy',
      'reference',
    ])
    expect(report.samples[0].answers).toHaveLength(3)
    expect(page).not.toMatch(/https?:|<script|<link|<img|<iframe|@import|\son\w+=/i)
    expect(page).toContain('DPO β 0.05')
  })

  test('run folders, with prompts and gold reward of one’s own; nothing is run again', async () => {
    const before = readFileSync(at('runs/dpo-weak/manifest.json'), 'utf8')
    const named = ['--gold', gold, '--data', pairs, '--reference', at('model'), '--title', 'Mine <1>']
    const ran = await collimate(['compare', at('runs'), '--output', at('own'), ...named, ...quick])
    expect(ran.status, ran.stderr).toBe(0)
    const { report, page } = read(at('own'))
    expect(report.title).toBe('Mine <1>')
    expect(page).toContain('<h1>Mine &lt;1&gt;</h1>')
    expect(report.arms.map(({ method }) => method)).toEqual(['reference', 'sft', 'dpo', 'dpo'])
    expect(report.arms[1].final?.kl.value).not.toBe(0)
    expect(readFileSync(at('runs/dpo-weak/manifest.json'), 'utf8')).toBe(before)
  })

  test('records alone, where no model is to answer; a model that is gone is noted', async () => {
    cpSync(at('runs'), at('moved'), { recursive: true })
    rmSync(at('moved/dpo-weak/model'), { recursive: true })
    const recorded = await collimate(['compare', at('moved'), '--no-measure', '--output', at('recorded')])
    expect(recorded.status, recorded.stderr).toBe(0)
    expect(read(at('recorded')).report.measured).toBeUndefined()
    expect(recorded.stdout).toMatch(/note: the model of dpo-weak is gone/)
  })

  test('what is wrong is said in one line, and nothing is left behind', async () => {
    cpSync(at('runs/sft'), at('broken'), { recursive: true })
    writeFileSync(at('broken/metrics.jsonl'), '{"step":1}\n{\n{}\n')
    mkdirSync(at('empty'))
    const refused = async (args: readonly string[], code: string, exit: number): Promise<string> => {
      const line = expectError(await here(['compare', ...args, '--output', at('none')]), code, exit)
      expect(existsSync(at('none'))).toBe(false)
      return line
    }
    expect(await refused([at('broken')], 'COLLIMATE_RUN_FOLDER_BROKEN', 1)).toMatch(/metrics\.jsonl, line 2/)
    await refused([at('empty')], 'COLLIMATE_RUN_FOLDER_MISSING', 1)
    await refused([at('nothing.yaml')], 'COLLIMATE_EXPERIMENT_MISSING', 1)
    await refused([at('runs'), '--prompts', '0'], 'COLLIMATE_USAGE', 2)
    await refused([at('runs'), '--gold', at('empty')], 'COLLIMATE_USAGE', 2)
    await refused([at('runs'), '--fresh'], 'COLLIMATE_USAGE', 2)
    await refused([at('story.yaml'), '--set', 'sft'], 'COLLIMATE_SETTING_INVALID', 2)
    await refused([], 'COLLIMATE_USAGE', 2)
    const taken = await here(['compare', at('runs'), '--output', join(at('story.yaml'), 'x')])
    expectError(taken, 'COLLIMATE_OUTPUT_NOT_WRITABLE', 1)
  })
})

describe('eval', () => {
  test('tells rewards, KL and lengths with intervals, and writes every answer', async () => {
    const model = at('runs/dpo-weak/model')
    const asked = ['--model', model, '--reference', at('runs/sft/model'), '--data', pairs, '--reward', `gold=${gold}`]
    const ran = await collimate([
      'eval',
      ...asked,
      ...quick.slice(0, 2),
      '--max-new-tokens',
      '5',
      '--output',
      at('e.json'),
    ])
    expect(ran.status, ran.stderr).toBe(0)
    for (const shown of ['eval_gold', 'eval_kl', 'eval_completions/mean_length', 'n = 6', '> Customer:'])
      expect(ran.stdout).toContain(shown)
    const written = JSON.parse(readFileSync(at('e.json'), 'utf8')) as { answers: unknown[]; metrics: object }
    expect(written.answers).toHaveLength(6)
    expect(written.answers[0]).toMatchObject({
      rewards: { gold: expect.any(Number) as number },
      kl: expect.any(Number) as number,
    })
    const json = await collimate(['eval', ...asked, ...quick.slice(0, 2), '--max-new-tokens', '5', '--json'])
    expect(JSON.parse(json.stdout)).toEqual(written)
  })

  test('a model is at no distance from itself', async () => {
    const model = at('runs/sft/model')
    const asked = ['--model', model, '--reference', model, '--data', pairs, '--prompts', '3', '--max-new-tokens', '4']
    const { stdout } = await collimate(['eval', ...asked, '--json'])
    const { metrics } = JSON.parse(stdout) as { metrics: { eval_kl: { value: number } } }
    expect(Math.abs(metrics.eval_kl.value)).toBeLessThan(1e-4)
  })

  test('what is wrong is said in one line', async () => {
    const good = ['eval', '--model', at('model'), '--data', pairs]
    const line = async (args: readonly string[], code: string, exit: number) =>
      expectError(await here(args), code, exit)
    expect(await line(['eval', '--data', pairs], 'COLLIMATE_USAGE', 2)).toMatch(/--model/)
    expect(await line(good, 'COLLIMATE_USAGE', 2)).toMatch(/--reward/)
    expect(await line([...good, '--reward', 'x', '--reward', 'y'], 'COLLIMATE_USAGE', 2)).toMatch(/two rewards/)
    await line([...good, '--reward', 'nothing-like-it'], 'COLLIMATE_PLUGIN_UNKNOWN', 1)
    await line(
      ['eval', '--model', at('model'), '--data', at('x.jsonl'), '--reward', gold],
      'COLLIMATE_DATA_FILE_MISSING',
      1,
    )
    await line([...good, '--reward', gold, '--output', folder], 'COLLIMATE_OUTPUT_NOT_WRITABLE', 1)
    expect(readdirSync(folder)).not.toContain('.tmp')
  })
})
