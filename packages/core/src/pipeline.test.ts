import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PipelineConfig } from './config.js'
import { fakes } from './fakes/fakes.js'
import { loadExperiment, runLoaded } from './load-experiment.js'
import { pipeline } from './pipeline.js'
import { applySettings } from './settings.js'

let folder: string
let made: ReturnType<typeof fakes>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'collimate-pipeline-'))
  made = fakes()
})
afterEach(() => rmSync(folder, { recursive: true }))

const code = (expected: string, message = '') =>
  expect.objectContaining({ code: expected, message: expect.stringContaining(message) as string }) as Error
const yaml = `
name: two
seed: 3
backend: fake
trackers: []
stages:
  sft:
    policy: { use: fake }
    trainer: { use: fake, steps: 2 }
    data: { use: fake, train: rows.jsonl }
  dpo:
    policy: { use: fake, model: "\${sft.model}" }
    trainer: { use: fake, steps: 3 }
    data: fake
`
const states = async (options: { settings?: string[]; content?: string; fresh?: boolean } = {}) => {
  writeFileSync(join(folder, 'two.yaml'), options.content ?? yaml)
  const { config } = await loadExperiment(join(folder, 'two.yaml'))
  const run = runLoaded(
    { config: applySettings(config, options.settings ?? []), folder },
    { plugins: made.plugins, fresh: options.fresh },
  )
  const seen: string[] = []
  run.bus.on('stage.changed', ({ stage, state }) => void (state !== 'done' && seen.push(`${stage} ${state}`)))
  await run.finished
  return seen
}

describe('a pipeline', () => {
  test('runs its stages in order; what is done is not done again, until its config or its files change', async () => {
    writeFileSync(join(folder, 'rows.jsonl'), '{}\n')
    const everything = ['sft running', 'dpo running']
    expect(await states()).toEqual(everything)
    const resolved = JSON.parse(readFileSync(join(folder, 'runs/two/dpo/config.json'), 'utf8')) as unknown
    expect(resolved).toMatchObject({ seed: 3, policy: { model: join(folder, 'runs/two/sft/model') } })
    expect(await states()).toEqual(['sft skipped', 'dpo skipped'])
    expect(await states({ fresh: true })).toEqual(everything)
    expect(await states({ settings: ['dpo.trainer.rate=0.2'] })).toEqual(['sft skipped', 'dpo running'])
    expect(await states({ settings: ['dpo.trainer.rate=0.2'] })).toEqual(['sft skipped', 'dpo skipped'])
    // The data of the first stage changes: its model changes, and so does what is made of that.
    writeFileSync(join(folder, 'rows.jsonl'), '{"more": 1}\n')
    expect(await states({ settings: ['dpo.trainer.rate=0.2'] })).toEqual(everything)
    utimesSync(join(folder, 'rows.jsonl'), 1, 1)
    expect((await states({ settings: ['dpo.trainer.rate=0.2'] }))[0]).toBe('sft running')
    rmSync(join(folder, 'runs/two/dpo/model'), { recursive: true })
    expect(await states({ settings: ['dpo.trainer.rate=0.2'] })).toEqual(['sft skipped', 'dpo running'])
  })

  test('in TypeScript, and as a list', async () => {
    const { backend, policy, trainer, data } = made
    const stage = { backend: backend(), policy: policy(), trainer: trainer({ steps: 1 }), data: data(), trackers: [] }
    const config: PipelineConfig = {
      name: 'typed',
      stages: { one: stage, two: { ...stage, policy: policy({ model: '${one.run}/model' }) } },
    }
    const result = await pipeline(config, { folder }).finished
    expect(Object.keys(result.stages)).toEqual(['one', 'two'])
    expect(result).toMatchObject({ status: 'done', stages: { two: { steps: 1, skipped: false } } })

    const list = yaml.replace('  sft:\n', '  - name: sft\n').replace('  dpo:\n', '  - name: dpo\n')
    expect(await states({ content: list })).toEqual(['sft running', 'dpo running'])
  })

  test('trackers hear which stage begins and which were skipped', async () => {
    const log: string[] = []
    made = fakes(log)
    await states({ settings: ['trackers=[fake]'] })
    expect(log.filter((line) => line.startsWith('stage'))).toEqual(['stage sft running', 'stage dpo running'])
    log.length = 0
    await states({ settings: ['trackers=[fake]', 'dpo.trainer.rate=0.3'] })
    expect(log.filter((line) => line.startsWith('stage'))).toEqual(['stage sft skipped', 'stage dpo running'])
  })

  test('stops with its stage and resumes there', async () => {
    const start = (resume: boolean) => {
      const { backend, policy, trainer, data } = made
      const stage = { backend: backend(), policy: policy(), trainer: trainer({ steps: 4 }), data: data(), trackers: [] }
      return pipeline({ stages: { one: stage, two: stage } }, { folder, resume })
    }
    const first = start(false)
    first.bus.on('policy.updated', ({ step }) => void (step === 2 && first.stop()))
    expect(await first.finished).toMatchObject({ status: 'stopped', stages: { one: { steps: 2 } } })
    expect(existsSync(join(folder, 'runs/pipeline/two'))).toBe(false)
    const second = start(true)
    const steps: number[] = []
    second.bus.on('metrics.logged', ({ step }) => void steps.push(step))
    expect(await second.finished).toMatchObject({ status: 'done' })
    expect(steps).toEqual([3, 4, 1, 2, 3, 4])
  })

  test.each([
    [['dpo.policy.model=${sff.model}'], 'COLLIMATE_REFERENCE_UNKNOWN', '${sff.model}'],
    [['sft.policy.model=${dpo.model}'], 'COLLIMATE_REFERENCE_UNKNOWN', '${dpo.model}'],
    [['dpo.trainer.rte=1'], 'COLLIMATE_OPTION_UNKNOWN', 'rte'],
    [['dpo.trainer.rate=-1'], 'COLLIMATE_OPTION_INVALID', 'rate'],
    [['dpo.trainr.rate=1'], 'COLLIMATE_OPTION_UNKNOWN', 'trainr'],
    [['stges={}'], 'COLLIMATE_OPTION_UNKNOWN', 'stges'],
    [['stages={}'], 'COLLIMATE_OPTION_INVALID', '"stages" is empty'],
    [['stages=[{}]'], 'COLLIMATE_OPTION_INVALID', 'needs a name'],
    [['stages=[{name: a}, {name: a}]'], 'COLLIMATE_OPTION_INVALID', 'two stages'],
  ])('what is wrong in a later stage is said before the first one trains: %j', async (settings, expected, message) => {
    await expect(states({ settings })).rejects.toThrow(code(expected, message))
    expect(existsSync(join(folder, 'runs'))).toBe(false)
  })
})

describe('experiment files', () => {
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }

  test('JSON and JavaScript say the same as YAML', async () => {
    const expected = { name: 'x', trainer: { use: 'dpo', beta: 0.2 } }
    for (const path of [
      file('a.yaml', 'name: x\ntrainer: { use: dpo, beta: 0.2 }\n'),
      file('a.json', JSON.stringify(expected)),
      file('a.mjs', `export default ${JSON.stringify(expected)}`),
    ])
      expect(await loadExperiment(path)).toEqual({ config: expected, folder })
  })

  test('YAML: what one mapping takes over from another with <<', async () => {
    const text = 'stages:\n  a: &a { seed: 1, trainer: dpo }\n  b: { <<: *a, seed: 2 }\n'
    const { config } = await loadExperiment(file('merged.yaml', text))
    expect(config).toEqual({ stages: { a: { seed: 1, trainer: 'dpo' }, b: { seed: 2, trainer: 'dpo' } } })
  })

  test.each([
    ['bad.yaml', 'name: x\ntrainer: {use: dpo\n', 'COLLIMATE_EXPERIMENT_UNREADABLE', 'bad.yaml:3:'],
    ['twice.yaml', 'name: x\nname: y\n', 'COLLIMATE_EXPERIMENT_UNREADABLE', 'twice.yaml:2:1'],
    ['list.yaml', '- a\n', 'COLLIMATE_EXPERIMENT_UNREADABLE', 'expected a mapping'],
    ['empty.yaml', '', 'COLLIMATE_EXPERIMENT_UNREADABLE', 'expected a mapping'],
  ])('%s is refused with its place', async (name, content, expected, message) => {
    await expect(loadExperiment(file(name, content))).rejects.toThrow(code(expected, message))
  })

  test('a file that is not there, and a folder, are refused', async () => {
    await expect(loadExperiment(join(folder, 'no.yaml'))).rejects.toThrow(code('COLLIMATE_EXPERIMENT_MISSING'))
    await expect(loadExperiment(folder)).rejects.toThrow(code('COLLIMATE_EXPERIMENT_UNREADABLE'))
  })
})
