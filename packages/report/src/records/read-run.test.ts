import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findRuns } from './find-runs.js'
import { readRun } from './read-run.js'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'collimate-report-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const good: Readonly<Record<string, string>> = {
  'manifest.json': JSON.stringify({
    ...{
      format: 1,
      name: 'dpo',
      status: 'done',
      configHash: '',
      process: { pid: 1, host: '' },
      steps: 2,
      totalSteps: 2,
    },
    startedAt: '2026-01-01T00:00:00.000Z',
  }),
  'config.json': '{"trainer":{"use":"dpo"}}',
  'environment.json': '{"folder":"/x"}',
  'metrics.jsonl': [
    '{"step":0,"evaluation":{"eval_loss":{"value":1,"low":0.5,"high":1.5,"count":9}}}',
    '{"step":1,"loss":0.5,"epoch":0.1}',
    '{"step":2,"loss":"NaN","grad_norm":1}',
    '{"step":2,"evaluation":{"eval_loss":{"value":2},"eval_kl":{"value":"NaN"}}}',
    '{"step":2,"evaluation":{"eval_gold":{"value":3}}}',
    '{"step":3,"los',
  ].join('\n'),
}

function write(changes: Readonly<Record<string, string | undefined>> = {}, inside = 'run'): string {
  mkdirSync(join(folder, inside), { recursive: true })
  for (const [name, text] of Object.entries({ ...good, ...changes }))
    if (text !== undefined) writeFileSync(join(folder, inside, name), text)
  return join(folder, inside)
}

describe('a run folder', () => {
  test('is read: steps, evaluations of one step together, what is not a number left out, half a last line too', () => {
    expect(readRun(write())).toMatchObject({
      manifest: { name: 'dpo' },
      config: { trainer: { use: 'dpo' } },
      steps: [
        { step: 1, metrics: { loss: 0.5, epoch: 0.1 } },
        { step: 2, metrics: { grad_norm: 1 } },
      ],
      evaluations: [
        { step: 0, metrics: { eval_loss: { value: 1, count: 9 } } },
        { step: 2, metrics: { eval_loss: { value: 2 }, eval_gold: { value: 3 } } },
      ],
    })
  })

  test('the last calibration of a reward model, empty bins left out', () => {
    const event = (value: number) =>
      JSON.stringify({
        event: 'calibration.measured',
        payload: {
          bins: [
            { predicted: 0.6, from: 0.5, observed: { value } },
            { from: 0.6, observed: { value: 0 } },
          ],
        },
      })
    const run = readRun(write({ 'events.jsonl': `${event(0.1)}\n{"event":"x"}\n${event(0.7)}\n` }))
    expect(run.calibration).toEqual([{ predicted: 0.6, observed: { value: 0.7 } }])
  })

  test.each<[string, Record<string, string | undefined>, string, RegExp]>([
    ['no manifest', { 'manifest.json': undefined }, 'COLLIMATE_RUN_FOLDER_MISSING', /manifest\.json/],
    ['a manifest that is not JSON', { 'manifest.json': '{' }, 'COLLIMATE_MANIFEST_BROKEN', /manifest\.json/],
    ['a manifest of something else', { 'manifest.json': '{}' }, 'COLLIMATE_RUN_FOLDER_BROKEN', /manifest\.json/],
    ['no config', { 'config.json': undefined }, 'COLLIMATE_RUN_FOLDER_BROKEN', /config\.json/],
    ['a config that is a list', { 'config.json': '[]' }, 'COLLIMATE_RUN_FOLDER_BROKEN', /config\.json/],
    [
      'a broken line',
      { 'metrics.jsonl': '{"step":1}\n{"st\n{"step":3}\n' },
      'COLLIMATE_RUN_FOLDER_BROKEN',
      /jsonl, line 2/,
    ],
    ['a line without a step', { 'metrics.jsonl': '{"loss":1}\n' }, 'COLLIMATE_RUN_FOLDER_BROKEN', /jsonl, line 1/],
  ])('%s is refused', (_, changes, code, says) => {
    const path = write(changes)
    expect(() => readRun(path)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(says) as string }),
    )
  })

  test('that is not there is refused', () => {
    const missing = expect.objectContaining({ code: 'COLLIMATE_RUN_FOLDER_MISSING' }) as Error
    expect(() => readRun(join(folder, 'nothing'))).toThrow(missing)
    expect(() => findRuns(join(folder, 'nothing'))).toThrow(missing)
    expect(() => findRuns(folder)).toThrow(missing)
  })
})

test('a path means its run, the run of a training command, or the runs of a pipeline', () => {
  const [one, two] = [write({}, 'one'), write({}, 'two/run')]
  mkdirSync(join(folder, 'three'))
  expect(findRuns(one)).toEqual([one])
  expect(findRuns(join(folder, 'two'))).toEqual([two])
  expect(findRuns(folder)).toEqual([one, two])
})
