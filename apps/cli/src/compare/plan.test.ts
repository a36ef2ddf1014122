import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunRecord } from '@collimate/report'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planMeasurement } from './plan.js'

const folder = mkdtempSync(join(tmpdir(), 'collimate-plan-'))
afterAll(() => rmSync(folder, { recursive: true }))

const model = (name: string): string => join(folder, name, 'model')
beforeAll(() => {
  for (const [name, architecture] of [
    ['base', 'LlamaForCausalLM'],
    ['sft', 'LlamaForCausalLM'],
    ['dpo', 'LlamaForCausalLM'],
    ['ppo', 'LlamaForCausalLM'],
    ['reward', 'LlamaForSequenceClassification'],
  ]) {
    mkdirSync(model(name), { recursive: true })
    writeFileSync(join(model(name), 'config.json'), JSON.stringify({ architectures: [architecture] }))
  }
})

function run(name: string, config: Record<string, unknown>, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    folder: join(folder, name),
    manifest: {
      ...{ format: 1, name, status: 'done', configHash: '', process: { pid: 1, host: '' }, startedAt: '' },
      ...{ steps: 1, totalSteps: 1, modelFolder: 'model' },
    },
    config: { seed: 7, trainer: { use: name }, ...config },
    environment: { folder },
    ...{ steps: [], evaluations: [], ...changes },
  }
}

const corpus = { use: './corpus.ts', evaluate: 100 }
const sft = run('sft', { policy: { use: 'transformer', model: 'base/model' }, data: corpus })
const reward = run('reward', { policy: { use: 'transformer', model: 'sft/model' }, data: corpus })
const dpo = run('dpo', {
  policy: { use: 'transformer', model: 'sft/model' },
  data: corpus,
  evaluators: [{ use: 'rewards', rewards: { gold: './gold.ts' }, maxNewTokens: 33, temperature: 0.7 }],
})
const ppo = run('ppo', {
  ...{ policy: { use: 'transformer', model: 'sft/model' }, data: { use: './prompts.ts', evaluate: 50 } },
  reward: { use: 'bradley-terry', model: 'reward/model' },
})

describe('what is measured', () => {
  test('policies against the model that they began with, which is measured against itself; reward models answer nothing', () => {
    const { models } = planMeasurement([sft, reward, dpo, ppo], { rewards: [] })
    expect(models.map(({ name, reference, isReference }) => [name, reference, isReference])).toEqual([
      ['sft', model('sft'), true],
      ['dpo', model('sft'), false],
      ['ppo', model('sft'), false],
    ])
  })

  test('everybody by the rewards of all that share a reference', () => {
    const { models } = planMeasurement([sft, dpo, ppo], { rewards: [] })
    for (const one of models)
      expect(one.rewards).toEqual({
        gold: { entry: './gold.ts', folder },
        reward: { entry: { use: 'bradley-terry', model: 'reward/model' }, folder },
      })
  })

  test('a reference that no run has made is a model of its own; one that is named is that of all', () => {
    expect(planMeasurement([dpo], { rewards: [] }).models.map(({ name, run: at }) => [name, at])).toEqual([
      ['sft', undefined],
      ['dpo', 0],
    ])
    const named = planMeasurement([sft, dpo], { rewards: [], reference: model('base') })
    expect(named.models.map(({ name, isReference }) => [name, isReference])).toEqual([
      ['base', true],
      ['sft', false],
      ['dpo', false],
    ])
  })

  test('a reward that only an evaluator of DPO asks is gold; what is named on the command line comes first', () => {
    const judged = run('dpo', { policy: { use: 'transformer', model: 'sft/model' }, reward: './gold.ts' })
    const [, own] = planMeasurement([judged], { rewards: [] }).models
    expect(Object.keys(own.rewards)).toEqual(['gold'])
    const [, named] = planMeasurement([judged], { rewards: [{ name: 'gold', entry: './mine.ts' }] }).models
    expect(named.rewards).toEqual({ gold: { entry: './mine.ts', folder: process.cwd() } })
  })

  test('prompts of the run that samples, as its evaluators sample', () => {
    const { origin, sampling } = planMeasurement([sft, dpo, ppo], { rewards: [] })
    expect(origin).toEqual({ entry: { use: './prompts.ts', evaluate: 50 }, folder, seed: 7 })
    expect(sampling).toEqual({ maxNewTokens: 33, temperature: 0.7, seed: 42 })
    const asked = planMeasurement([dpo], {
      rewards: [],
      data: 'p.jsonl',
      maxNewTokens: 5,
      temperature: 0,
      topP: 0.9,
      seed: 1,
    })
    expect(asked.origin).toEqual({ file: 'p.jsonl' })
    expect(asked.sampling).toEqual({ maxNewTokens: 5, temperature: 0, topP: 0.9, seed: 1 })
  })

  test('what has no model, or none any more, is noted', () => {
    const { modelFolder: _none, ...manifest } = dpo.manifest
    const gone = { ...ppo, manifest: { ...ppo.manifest, modelFolder: 'elsewhere' } }
    const { models, notes, origin } = planMeasurement([{ ...dpo, manifest }, gone], { rewards: [] })
    expect(models).toEqual([])
    expect(notes).toEqual([
      expect.stringMatching(/^dpo has left no model/),
      expect.stringMatching(/^the model of ppo is gone/),
    ])
    expect(origin).toBeDefined()
  })
})
