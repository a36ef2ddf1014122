import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ExperimentConfig } from './config.js'
import { experiment } from './experiment.js'
import type { Run, RunOptions } from './experiment.js'
import { fakes } from './fakes/fakes.js'
import type { Log } from './fakes/fakes.js'
import { readManifest } from './manifest.js'
import type { RunResult } from './runner.js'

let folder: string
let log: Log
let made: ReturnType<typeof fakes>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'collimate-runner-'))
  log = []
  made = fakes(log)
})
afterEach(() => rmSync(folder, { recursive: true }))

const code = (expected: string) => expect.objectContaining({ code: expected }) as Error
const lines = (file: string): Record<string, unknown>[] =>
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

function config(changes: Partial<ExperimentConfig> = {}): ExperimentConfig {
  const { backend, policy, trainer, data } = made
  return { backend: backend(), policy: policy(), trainer: trainer(), data: data(), trackers: [], ...changes }
}
const run = (changes: Partial<ExperimentConfig> = {}, options: RunOptions = {}): Run<RunResult> =>
  experiment(config(changes), { folder, ...options })

/** Metrics and weights: what two runs are compared by. */
const outcome = (output: string) => [
  lines(join(output, 'metrics.jsonl')),
  readFileSync(join(folder, output, 'model/weights.json'), 'utf8'),
]

describe('a run', () => {
  test('trains, evaluates, saves, and leaves a run folder', async () => {
    const { data, evaluator, reward, tracker, trainer } = made
    const events: string[] = []
    const one = run({
      name: 'first',
      data: data({ held: 3, dropped: 2 }),
      trainer: trainer({ reference: true }),
      reward: reward(),
      evaluators: [evaluator({ reference: true })],
      trackers: [tracker()],
      evaluateEvery: 4,
      evaluateAtStart: true,
    })
    one.bus.onAny((event) => void events.push(event))
    const result = await one.finished
    // 10 rows in batches of 4: 3 steps an epoch, 2 epochs.
    expect(result).toMatchObject({ name: 'first', status: 'done', steps: 6, totalSteps: 6 })
    expect(result.metrics).toMatchObject({ eval_loss: { count: 3 }, win_rate: { value: 0.6 } })
    expect(result.modelFolder).toBe(join(folder, 'runs/first/model'))
    expect(existsSync(join(folder, 'runs/first/model/weights.json'))).toBe(true)
    expect(readFileSync(join(folder, 'runs/first/model/completed'), 'utf8')).toBe('6')

    expect(
      lines('runs/first/metrics.jsonl').map(({ step, evaluation }) => [step, evaluation ? 'evaluation' : 'step']),
    ).toEqual([
      ...[
        [0, 'evaluation'],
        [1, 'step'],
        [2, 'step'],
        [3, 'step'],
        [4, 'step'],
        [4, 'evaluation'],
      ],
      ...[
        [5, 'step'],
        [6, 'step'],
        [6, 'evaluation'],
        [6, 'evaluation'],
      ],
    ])
    expect(lines('runs/first/metrics.jsonl').map(({ epoch }) => epoch)).toEqual(
      expect.arrayContaining([0.4, 0.8, 1, 1.4, 1.8, 2]),
    )
    expect(lines('runs/first/samples.jsonl')).toEqual([
      { step: 6, prompt: 'hello', completions: { policy: { text: 'hi', score: 1 } } },
    ])
    expect(readManifest(join(folder, 'runs/first'))).toMatchObject({
      ...{ status: 'done', steps: 6, totalSteps: 6, modelFolder: 'model', metrics: { win_rate: { low: 0.4 } } },
    })
    expect(JSON.parse(readFileSync(join(folder, 'runs/first/config.json'), 'utf8'))).toMatchObject({
      ...{ seed: 42, trainer: { use: 'fake', rate: 0.1 }, output: 'runs/first' },
    })
    expect(JSON.parse(readFileSync(join(folder, 'runs/first/environment.json'), 'utf8'))).toMatchObject({
      ...{ node: process.version, backend: { device: 'cpu' }, versions: { 'trainer fake': '0.1.0' } },
    })
    const recorded = lines('runs/first/events.jsonl').map(({ event }) => event)
    expect(recorded).toEqual(events.filter((event) => !event.startsWith('call.')))
    expect(recorded.filter((event) => event === 'policy.updated')).toHaveLength(6)
    expect(lines('runs/first/events.jsonl').filter(({ event }) => event === 'warning.raised')).toMatchObject([
      { payload: { code: 'COLLIMATE_MAX_LENGTH_REDUCED' } },
      { payload: { code: 'COLLIMATE_DATA_DROPPED', message: 'rows left out: 2 identical' } },
    ])
  })

  test('closes in reverse order, and afterwards nobody serves, waits or listens', async () => {
    const { trainer, reward, evaluator, tracker } = made
    const one = run({
      trainer: trainer({ reference: true, reward: true }),
      ...{ reward: reward(), evaluators: [evaluator()], trackers: [tracker()] },
    })
    await one.finished
    expect(log.filter((line) => /create|close|attach|end$/.test(line))).toEqual([
      ...['tracker attach', 'backend create', 'policy create', 'reference create', 'trainer end'],
      ...['reference close', 'reward close', 'policy close', 'backend close', 'data close', 'tracker close'],
    ])
    expect(one.bus.pending()).toEqual([])
    for (const call of ['policy.describe', 'backend.usage', 'data.close'] as const)
      await expect(one.bus.call(call, undefined)).rejects.toThrow(code('COLLIMATE_CALL_UNSERVED'))
    const before = log.length
    one.bus.emit('phase.changed', { phase: 'after' })
    expect(log.length).toBe(before)
  })

  test('the same config gives the same bits; another seed does not', async () => {
    await run({ output: 'a' }).finished
    await run({ output: 'b' }).finished
    await run({ output: 'c', seed: 7 }).finished
    expect(outcome('b')).toEqual(outcome('a'))
    expect(outcome('c')).not.toEqual(outcome('a'))
  })

  test('may be made again in its own folder, and starts its logs anew', async () => {
    await run().finished
    await run().finished
    expect(lines('runs/experiment/metrics.jsonl')).toHaveLength(6)
  })

  test('every epoch has every example once, in another order', async () => {
    const seen: number[] = []
    const one = run({ trainer: made.trainer({ epochs: 2, batchSize: 3 }) })
    one.bus.wrap('data.read', async (request, next) => {
      seen.push(...request.indices)
      return next(request)
    })
    await one.finished
    const sorted = (indices: number[]) => [...indices].sort((a, b) => a - b)
    expect(sorted(seen.slice(0, 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(sorted(seen.slice(10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(seen.slice(0, 10)).not.toEqual(seen.slice(10))
  })

  test('a tracker that fails stops nobody', async () => {
    const warnings: string[] = []
    const one = run({ trackers: [made.tracker({ broken: true }), made.tracker()] })
    one.bus.on('warning.raised', ({ code }) => void warnings.push(code))
    await one.finished
    expect(warnings).toContain('COLLIMATE_TRACKER_FAILED')
    expect(log).toContain('phase training')
  })
})

describe('stopping and resuming', () => {
  const stopAfter = (one: Run<RunResult>, step: number) =>
    one.bus.on('policy.updated', (payload) => void (payload.step === step && one.stop()))

  test.each([1, 2, 3, 4, 5])('law: stopped after step %i and resumed, it ends in the same bits', async (step) => {
    const changes = { data: made.data({ held: 2 }), evaluateEvery: 2 }
    await run({ ...changes, output: 'whole' }).finished
    const first = run({ ...changes, output: 'parts' })
    stopAfter(first, step)
    expect(await first.finished).toMatchObject({ status: 'stopped', steps: step })
    expect(readManifest(join(folder, 'parts'))).toMatchObject({ status: 'stopped', steps: step })
    expect(existsSync(join(folder, 'parts/model/weights.json'))).toBe(true)
    const second = run({ ...changes, output: 'parts' }, { resume: true })
    expect(await second.finished).toMatchObject({ status: 'done', steps: 6 })
    expect(outcome('parts')).toEqual(outcome('whole'))
  })

  test('law: failed after a checkpoint and resumed, it ends in the same bits and logs no step twice', async () => {
    const changes = { trainer: made.trainer({ epochs: 3 }), checkpointEvery: 2 }
    await run({ ...changes, output: 'whole' }).finished
    const failing = run({ ...changes, output: 'parts' })
    failing.bus.wrap('policy.update', async (request, next) => {
      const report = await next(request)
      if (report.version === 6) throw new Error('power failure')
      return report
    })
    await expect(failing.finished).rejects.toThrow('power failure')
    expect(readManifest(join(folder, 'parts'))).toMatchObject({
      status: 'failed',
      steps: 4,
      error: expect.stringContaining('power') as string,
    })
    await run({ ...changes, output: 'parts' }, { resume: true }).finished
    expect(outcome('parts')).toEqual(outcome('whole'))
  })

  test('a signal stops it as `stop` does; before its first step nothing is written', async () => {
    const controller = new AbortController()
    controller.abort()
    expect(await run({}, { signal: controller.signal }).finished).toMatchObject({
      status: 'stopped',
      modelFolder: undefined,
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('a stop during the last evaluation can be resumed', async () => {
    const { evaluator, reward } = made
    const changes = { reward: reward(), evaluators: [evaluator()] }
    const one = run(changes)
    one.bus.wrap('reward.score', async (request, next) => {
      one.stop()
      return next(request)
    })
    expect(await one.finished).toMatchObject({ status: 'stopped', steps: 6 })
    expect(await run(changes, { resume: true }).finished).toMatchObject({ status: 'done', steps: 6 })
  })

  test('the second stop ends it at once, everything closed', async () => {
    const one = run({ trainer: made.trainer({ slow: true, epochs: 1000 }) })
    one.bus.wrap('policy.update', () => new Promise(() => {}))
    one.bus.on('phase.changed', ({ phase }) => {
      if (phase === 'training') setTimeout(() => one.stop(), 10)
      if (phase === 'training') setTimeout(() => one.stop(), 20)
    })
    await expect(one.finished).rejects.toThrow(code('COLLIMATE_RUN_KILLED'))
    expect(log).toEqual(expect.arrayContaining(['policy close', 'backend close', 'data close']))
    expect(readManifest(join(folder, 'runs/experiment'))?.status).toBe('failed')
  })

  test('resume is refused without a checkpoint, with a broken one, and with another config', async () => {
    await expect(run({}, { resume: true }).finished).rejects.toThrow(code('COLLIMATE_CHECKPOINT_MISSING'))
    await run({ checkpointEvery: 2 }).finished
    await expect(run({ checkpointEvery: 2, seed: 1 }, { resume: true }).finished).rejects.toThrow(
      code('COLLIMATE_RESUME_CHANGED'),
    )
    const state = join(folder, 'runs/experiment/checkpoint/state.bin')
    writeFileSync(state, readFileSync(state).subarray(0, -1))
    await expect(run({ checkpointEvery: 2 }, { resume: true }).finished).rejects.toThrow(
      code('COLLIMATE_CHECKPOINT_BROKEN'),
    )
  })
})

describe('what is wrong is refused before anything is written', () => {
  const refused = async (changes: Partial<ExperimentConfig>, expected: string) => {
    await expect(run(changes).finished).rejects.toThrow(code(expected))
    expect(readdirSync(folder)).toEqual([])
    expect(log.filter((line) => / create$/.test(line)).length).toBe(
      log.filter((line) => /(policy|backend|reference) close$/.test(line)).length,
    )
  }

  test('an option that no plugin knows', () =>
    refused({ trainer: { use: 'fake', beta: 1 } }, 'COLLIMATE_PLUGIN_UNKNOWN'))
  test('a missing model', () => refused({ policy: made.policy({ missing: true }) }, 'COLLIMATE_MODEL_MISSING'))
  test('no data', () => refused({ data: made.data({ rows: 0 }) }, 'COLLIMATE_DATA_EMPTY'))
  test('a missing reward', () =>
    refused({ trainer: made.trainer({ reward: true }) }, 'COLLIMATE_EXPERIMENT_INCOMPLETE'))
  test('a reward that nobody uses', () => refused({ reward: made.reward() }, 'COLLIMATE_EXPERIMENT_UNUSED'))
  test('evaluateEvery without a split', () => refused({ evaluateEvery: 1 }, 'COLLIMATE_EXPERIMENT_UNUSED'))
  test('one folder for two things', () => refused({ output: 'x', modelFolder: 'x' }, 'COLLIMATE_OPTION_CONFLICT'))

  test('an output below a file, or full of other things', async () => {
    writeFileSync(join(folder, 'file'), '')
    mkdirSync(join(folder, 'full'))
    writeFileSync(join(folder, 'full/thesis.tex'), '')
    const refusedWith = async (changes: Partial<ExperimentConfig>, expected: string) =>
      expect(run(changes).finished).rejects.toThrow(code(expected))
    await refusedWith({ output: 'file/run' }, 'COLLIMATE_OUTPUT_NOT_WRITABLE')
    await refusedWith({ modelFolder: 'file' }, 'COLLIMATE_OUTPUT_NOT_WRITABLE')
    await refusedWith({ output: 'full' }, 'COLLIMATE_OUTPUT_OCCUPIED')
    await refusedWith({ modelFolder: 'full' }, 'COLLIMATE_OUTPUT_OCCUPIED')
    expect(readdirSync(folder)).toEqual(['file', 'full'])
  })

  test('a run folder within the model folder is no obstacle, before the first model and after', async () => {
    const changes = { output: 'out/run', modelFolder: 'out', cacheFolder: 'out/run/cache' }
    await expect(run({ ...changes, trainer: made.trainer({ failAt: 1 }) }).finished).rejects.toThrow()
    expect(readdirSync(join(folder, 'out'))).toEqual(['run'])
    await run(changes).finished
    await run(changes).finished
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['completed', 'config.json', 'run', 'weights.json'])
  })

  test('a model that would be written over the one it is made from', async () => {
    await run({ name: 'sft' }).finished
    const policy = made.policy({ model: 'runs/sft/model' })
    await expect(run({ name: 'dpo', policy, modelFolder: 'runs/sft/model' }).finished).rejects.toThrow(
      code('COLLIMATE_OUTPUT_IS_INPUT'),
    )
    expect(existsSync(join(folder, 'runs/dpo'))).toBe(false)
  })

  test('two runs into one folder', async () => {
    const first = run({ trainer: made.trainer({ slow: true }) })
    let second: Promise<unknown> | undefined
    first.bus.on('policy.updated', () => {
      second ??= run().finished.catch((error: unknown) => error)
    })
    await first.finished
    expect(await second).toMatchObject({ code: 'COLLIMATE_RUN_ACTIVE' })
  })
})

describe('a critic', () => {
  test('is made of the policy, trained, checkpointed, saved, and resumed in the same bits', async () => {
    const { trainer, policy } = made
    const changes = { policy: policy({ model: 'm' }), trainer: trainer({ critic: true }) }
    const critics = (name: string): string => readFileSync(join(folder, 'runs', name, 'critic/weights.json'), 'utf8')
    await run({ ...changes, name: 'whole' }).finished
    expect(log).toContain('policy create score')
    const one = run({ ...changes, name: 'stopped' })
    one.bus.on('policy.updated', ({ step }) => {
      if (step === 3) one.stop()
    })
    expect(await one.finished).toMatchObject({ status: 'stopped', steps: 3 })
    expect(critics('stopped')).not.toBe(critics('whole'))
    await run({ ...changes, name: 'stopped' }, { resume: true }).finished
    expect(critics('stopped')).toBe(critics('whole'))
    expect(outcome('runs/stopped')).toEqual(outcome('runs/whole'))
  })

  test('that is given is taken as it is; one that nobody uses is refused', async () => {
    const { trainer, policy } = made
    await run({ trainer: trainer({ critic: true }), critic: policy({ head: 'mine' }) }).finished
    expect(log).toContain('policy create mine')
    await expect(run({ name: 'b', critic: policy() }).finished).rejects.toThrow(code('COLLIMATE_EXPERIMENT_UNUSED'))
  })
})

describe('evaluators during training', () => {
  test('are asked at every evaluation, the others at the end; what they make for themselves is closed', async () => {
    const { data, evaluator, reward } = made
    const changes = { data: data({ held: 3 }), reward: reward(), evaluateEvery: 2, evaluateAtStart: true }
    const evaluations = (): number => log.filter((line) => line.startsWith('evaluate')).length
    await run({ ...changes, name: 'end', evaluators: [evaluator()] }).finished
    expect(evaluations()).toBe(1)
    await run({ ...changes, name: 'during', evaluators: [evaluator({ during: true, gold: true })] }).finished
    // Steps 0, 2, 4 and 6, and the one before.
    expect(evaluations()).toBe(5)
    expect(log.filter((line) => line === 'reward close').length).toBe(2 + 4)
  })

  test('what one lacks is said before the first step, and nothing is left behind', async () => {
    const { data, evaluator, reward } = made
    const lacking = { data: data({ held: 3 }), reward: reward(), evaluators: [evaluator({ needs: './nothing.js' })] }
    await expect(run(lacking).finished).rejects.toThrow(code('COLLIMATE_PLUGIN_UNKNOWN'))
    expect(existsSync(join(folder, 'runs/experiment'))).toBe(false)
  })
})

test('a run says what it held', async () => {
  const { trainer, reward } = made
  await run({ trainer: trainer({ critic: true, reference: true, reward: true }), reward: reward() }).finished
  const { resources } = readManifest(join(folder, 'runs/experiment')) ?? {}
  expect(resources?.models.map(({ role }) => role)).toEqual(['policy', 'critic', 'reference'])
  expect(resources?.processBytes).toBeGreaterThan(1e6)
  expect(resources?.processBytesBefore).toBeGreaterThan(1e6)
  expect(resources?.trainedTokens).toBe(6 * 4 - 4)
})

describe('what fails on the way', () => {
  test('an error of the trainer travels, and everything is closed', async () => {
    await expect(run({ trainer: made.trainer({ failAt: 3 }) }).finished).rejects.toThrow(code('COLLIMATE_NOT_FINITE'))
    expect(log.slice(-4)).toEqual(['trainer end', 'policy close', 'backend close', 'data close'])
    expect(readManifest(join(folder, 'runs/experiment'))).toMatchObject({
      ...{ status: 'failed', error: 'COLLIMATE_NOT_FINITE: the loss of step 3 is NaN; the policy of step 2 is saved' },
    })
  })

  test('a run that fails before its first step saves nothing', async () => {
    await expect(run({ trainer: made.trainer({ failAt: 1 }) }).finished).rejects.toThrow(code('COLLIMATE_NOT_FINITE'))
    expect(existsSync(join(folder, 'runs/experiment/model'))).toBe(false)
  })

  test('a run that diverges goes back to the last policy that a later step has found good, and saves it', async () => {
    const weights = (name: string): string => readFileSync(join(folder, 'runs', name, 'model/weights.json'), 'utf8')
    await run({ name: 'ten', trainer: made.trainer({ steps: 10 }) }).finished
    const diverging = run({ name: 'wild', trainer: made.trainer({ steps: 20, divergeAt: 14 }) })
    await expect(diverging.finished).rejects.toMatchObject({
      ...{ code: 'COLLIMATE_DIVERGED', message: 'the KL is 99 nats; the policy of step 10 is saved', hint: 'less' },
    })
    expect(weights('wild')).toBe(weights('ten'))
    expect(readManifest(join(folder, 'runs/wild'))).toMatchObject({ status: 'failed', steps: 10, modelFolder: 'model' })
    // At step 11 the policy of step 10 is not known to be good, and nothing is older than it.
    const early = run({ name: 'early', trainer: made.trainer({ steps: 20, divergeAt: 11 }) })
    await expect(early.finished).rejects.toThrow(code('COLLIMATE_DIVERGED'))
    expect(existsSync(join(folder, 'runs/early/model'))).toBe(false)
  })

  test('so does a guarded run whose numbers are not finite, with its critic: the step may have changed both before', async () => {
    const of = (name: string, model: string): string =>
      readFileSync(join(folder, 'runs', name, model, 'weights.json'), 'utf8')
    await run({ name: 'ten', trainer: made.trainer({ steps: 10, critic: true }) }).finished
    const failing = run({
      name: 'wild',
      trainer: made.trainer({ steps: 20, critic: true, failAt: 14, divergeAt: 99 }),
    })
    await expect(failing.finished).rejects.toMatchObject({
      ...{ code: 'COLLIMATE_NOT_FINITE', message: 'the loss of step 14 is NaN; the policy of step 10 is saved' },
    })
    for (const model of ['model', 'critic']) expect(of('wild', model)).toBe(of('ten', model))
  })

  test('a trainer that skips steps is refused', async () => {
    await expect(run({ trainer: made.trainer({ skip: true }) }).finished).rejects.toThrow(
      code('COLLIMATE_TRAINER_STEP'),
    )
  })

  test('a plugin that fails to close is a warning', async () => {
    const warnings: string[] = []
    const one = run({ trackers: [made.tracker()] })
    one.bus.on('warning.raised', ({ message }) => void warnings.push(message))
    one.bus.on('phase.changed', ({ phase }) => {
      // The fake's log is frozen, so that its `close` throws.
      if (phase === 'done') Object.freeze(log)
    })
    await one.finished
    expect(warnings.some((message) => message.includes('not extensible'))).toBe(true)
  })
})
