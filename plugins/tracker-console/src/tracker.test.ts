import { createBus, createRegistry } from '@collimate/core'
import type { Bus, Tracker } from '@collimate/core'
import { describe, expect, test } from 'vitest'
import plugin, { consoleTracker } from './index.js'

/** A tracker on streams that can be read, with a clock that is set by hand. */
function watched({ tty = false, columns = 80, quiet = false, interval = 10 } = {}) {
  const written = { out: '', err: '' }
  let time = 0
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => void (written[name] += text),
    isTTY: tty,
    columns,
  })
  const tracker: Tracker = consoleTracker(
    { interval, quiet },
    { out: stream('out'), err: stream('err'), now: () => time },
  )
  const bus: Bus = createBus()
  const detach = tracker.attach(bus)
  return { bus, tracker, detach, written, pass: (seconds: number) => void (time += 1000 * seconds) }
}

function train({ bus, pass }: ReturnType<typeof watched>, steps: number, seconds: number): void {
  for (let step = 1; step <= steps; step++) {
    pass(seconds)
    const metrics: Record<string, number> = step === 1 || step % 5 === 0 ? { loss: 1 / step } : {}
    bus.emit('metrics.logged', { step, totalSteps: steps, metrics, tokens: 1000 * seconds, seconds })
  }
}

describe('without a terminal', () => {
  test('lines come with new metrics, not more often than the interval, and always at the ends', () => {
    const one = watched()
    train(one, 20, 1)
    expect(one.written.err.split('\n')).toEqual([
      'step 1/20 (5 %)  loss 1  1000 tokens/s  19 s left',
      'step 15/20 (75 %)  loss 0.06667  1000 tokens/s  5 s left',
      'step 20/20 (100 %)  loss 0.05  1000 tokens/s  0 s left',
      '',
    ])
  })

  test('phases, preparations, stages, warnings and files are lines of their own', () => {
    const { bus, written, pass } = watched()
    bus.emit('stage.changed', { stage: 'sft', index: 0, count: 2, state: 'skipped' })
    bus.emit('stage.changed', { stage: 'dpo', index: 1, count: 2, state: 'running' })
    bus.emit('phase.changed', { phase: 'loading' })
    for (const done of [0, 10, 20, 40]) {
      bus.emit('progress.made', { phase: 'reference log-probs', done, total: 40, unit: 'pairs' })
      pass(10)
    }
    bus.emit('warning.raised', { code: 'COLLIMATE_DATA_DROPPED', message: '2 identical' })
    bus.emit('checkpoint.saved', { step: 3, folder: 'runs/x/checkpoint' })
    bus.emit('model.saved', { folder: 'out/model' })
    expect(written.err.split('\n')).toEqual([
      'stage sft (1 of 2): done before',
      'stage dpo (2 of 2)',
      'loading',
      'reference log-probs 10/40 pairs  30 s left',
      'reference log-probs 20/40 pairs  20 s left',
      'reference log-probs 40/40 pairs',
      'warning COLLIMATE_DATA_DROPPED: 2 identical',
      'checkpoint of step 3 in runs/x/checkpoint',
      'model saved in out/model',
      '',
    ])
  })
})

test('rewards and KL in the progress line, what is held after the first step, and what it cost at the end', () => {
  const { bus, written } = watched()
  const models = ['policy', 'critic'].map((role) => ({ role, parameters: 524_288 }))
  const counts = { trainedTokens: 0, generatedTokens: 0, trainingSeconds: 0 }
  const metrics = { 'objective/kl': 0.5, reward: -1.25, 'completions/mean_length': 22, loss: 0.1, 'val/clip': 0 }
  bus.emit('metrics.logged', { step: 1, totalSteps: 9, metrics, tokens: 100, seconds: 1 })
  bus.emit('resources.measured', { models, stateBytes: 17e6, processBytes: 6e8, ...counts })
  const cost = { trainedTokens: 132_000, generatedTokens: 88_000, trainingSeconds: 31 }
  bus.emit('resources.measured', { models, stateBytes: 18e6, processBytes: 1.2e10, ...cost })
  expect(written.err.split('\n')).toEqual([
    'step 1/9 (11 %)  reward -1.25  kl 0.5  length 22  loss 0.1  100 tokens/s  8 s left',
    'holds 2 models (policy 524.3k, critic 524.3k parameters), 17 MB of state, 600 MB in all',
    'trained on 132.0k tokens and sampled 88.0k in 31 s; held at most 18 MB of state, 12.0 GB in all',
    '',
  ])
})

describe('in a terminal', () => {
  test('one line is written over, within its width, and taken away before other lines', () => {
    const one = watched({ tty: true, columns: 30 })
    train(one, 3, 1)
    one.bus.emit('model.saved', { folder: 'm' })
    expect(one.written.err).not.toMatch(/step[^\r]*\n/)
    const lines = one.written.err.split('\r\x1b[2K')
    expect(lines.map((line) => line.trimEnd().slice(0, 8))).toEqual(['step 1/3', 'step 2/3', 'step 3/3', 'model sa'])
    for (const line of lines) expect(line.trimEnd().length).toBeLessThan(30)
  })

  test('is not written more often than eyes follow', () => {
    const one = watched({ tty: true })
    train(one, 1000, 0.001)
    expect(one.written.err.split('\r').length).toBeLessThan(15)
  })
})

describe('results', () => {
  test('evaluations and samples go to the standard output', () => {
    const { bus, written } = watched()
    bus.emit('evaluation.finished', { step: 4, metrics: { win_rate: { value: 0.6, low: 0.5, high: 0.7, count: 90 } } })
    const completions = { reference: { text: 'No.', score: -1 }, policy: { text: 'Yes,\ngladly.', score: 2.5 } }
    bus.emit('sample.shown', { step: 4, sample: { prompt: 'Help?', completions } })
    expect(written.out).toBe(
      [
        'evaluation after step 4',
        '  win_rate  60.0 %  [50.0 %, 70.0 %]  n = 90',
        '',
        'prompt: Help?',
        '  reference (-1): No.',
        '  policy    (2.5): Yes,',
        '                   gladly.',
        '',
      ].join('\n'),
    )
    expect(written.err).toBe('')
  })
})

test('quiet shows warnings only', () => {
  const one = watched({ quiet: true })
  train(one, 5, 1)
  one.bus.emit('phase.changed', { phase: 'saving' })
  one.bus.emit('evaluation.finished', { step: 1, metrics: { a: { value: 1 } } })
  one.bus.emit('warning.raised', { code: 'COLLIMATE_X', message: 'look' })
  one.bus.emit('listener.failed', { event: 'metrics.logged', message: 'no' })
  expect(one.written).toEqual({
    out: '',
    err: 'warning COLLIMATE_X: look\nwarning: a listener of metrics.logged failed: no\n',
  })
})

test('after it is detached it is silent', async () => {
  const one = watched()
  one.detach()
  train(one, 2, 1)
  await one.tracker.close()
  expect(one.written.err).toBe('')
})

test('the plugin resolves by its short name and checks its options', async () => {
  const registry = createRegistry([plugin])
  const resolved = await registry.resolve('tracker', 'console', process.cwd())
  expect(resolved.options).toEqual({ interval: 10, quiet: false })
  await expect(registry.resolve('tracker', { use: 'console', interval: -1 }, '.')).rejects.toMatchObject({
    code: 'COLLIMATE_OPTION_INVALID',
  })
})
