import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StepReport } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { describe, expect, it } from 'vitest'
import { collect, withBackend, withSetting } from './traces/setting.js'
import { readTrace } from './traces/trace.js'

const trace = readTrace('dpo-sigmoid')

describe.each(['sft-completion', 'dpo-sigmoid'])('laws of the trainer of %s on a real model', (name) => {
  it('no split into micro-batches changes a number', async () => {
    await withBackend('interpreter', async (backend) => {
      const run = (microBatchSize: number) =>
        withSetting(readTrace(name), backend, { batchSize: 5, microBatchSize, steps: 2 }, ({ trainer, context }) =>
          collect(trainer.steps(context)),
        )
      const whole = await run(5)
      for (const size of [1, 3]) expectNear(await run(size), whole, 1e-10)
    })
  })
})

describe('the reference of DPO', () => {
  it('cached equals live: from disk, from memory and computed on demand, the run is the same to the last bit', async () => {
    const cacheFolder = await mkdtemp(join(tmpdir(), 'collimate-cache-'))
    try {
      await withBackend('interpreter', async (backend) => {
        const run = (options: { cacheFolder?: string; steps: number }) =>
          withSetting(trace, backend, { ...options, schedule: 'constant', batchSize: 24 }, async (setting) => ({
            lines: await collect(setting.trainer.steps(setting.context)),
            runs: setting.referenceRuns(),
          }))
        const computed = await run({ steps: 2, cacheFolder })
        expect(await readdir(cacheFolder)).toHaveLength(1)
        const fromDisk = await run({ steps: 2, cacheFolder })
        const onDemand = await run({ steps: 1 })
        expect(fromDisk.lines).toEqual(computed.lines)
        expect(onDemand.lines[0]).toEqual(computed.lines[0])
        expect(computed.runs).toBe(12)
        expect(fromDisk.runs).toBe(0)
        expect(onDemand.runs).toBe(6)
      })
    } finally {
      await rm(cacheFolder, { recursive: true, force: true })
    }
  })

  it('starts at a loss of ln 2 to six digits in float32', async () => {
    await withBackend('onnx', (backend) =>
      withSetting(trace, backend, { steps: 1, batchSize: 48, microBatchSize: 5 }, async ({ trainer, context }) => {
        const [{ metrics }] = await collect(trainer.steps(context))
        expect(metrics.loss.toFixed(6)).toBe('0.693147')
        expect(Math.abs(metrics['rewards/margins'])).toBeLessThan(1e-6)
      }),
    )
  })
})

it('DPO evaluates what its objective says: the host’s loss and rewards are those of the model’s program', async () => {
  await withBackend('interpreter', (backend) =>
    withSetting(trace, backend, { steps: 2, learningRate: 0.003 }, async ({ trainer, context }) => {
      await collect(trainer.steps(context))
      const measured = (await trainer.evaluate?.(context)) ?? {}
      const pairs = await context.data.read(
        'evaluation',
        Array.from({ length: 48 }, (_, k) => k),
      )
      const refLogProbs = await context.reference.logProbs({ batch: forestBatch(pairs) })
      const batch = { ...forestBatch(pairs), inputs: { refLogProbs } }
      const objective = { use: 'dpo', options: { beta: 0.1 } }
      const { loss, metrics } = await context.policy.evaluate({ objective, batches: [batch], metrics: true })
      expect(measured.eval_loss.value).toBeCloseTo(loss, 10)
      expect(loss).toBeLessThan(0.69)
      for (const name of ['chosen', 'rejected', 'margins', 'accuracies']) {
        const { sum, count } = metrics[`rewards/${name}`]
        expect(measured[`eval_rewards/${name}`].value).toBeCloseTo(sum / count, 10)
      }
    }),
  )
})

it('SFT evaluates the mean over all held-out tokens', async () => {
  const sft = readTrace('sft-completion')
  await withBackend('interpreter', (backend) =>
    withSetting(sft, backend, { steps: 1, microBatchSize: 1 }, async ({ trainer, context }) => {
      const measured = (await trainer.evaluate?.(context)) ?? {}
      const rows = await context.data.read(
        'evaluation',
        Array.from({ length: 48 }, (_, k) => k),
      )
      const batches = [forestBatch(rows)]
      const { loss } = await context.policy.evaluate({ objective: { use: 'sft', options: {} }, batches, metrics: true })
      expect(measured.eval_loss.value).toBeCloseTo(loss, 10)
    }),
  )
})

/** The same numbers but for rounding. */
function expectNear(ours: readonly StepReport[], theirs: readonly StepReport[], tolerance: number) {
  expect(ours.length).toBe(theirs.length)
  ours.forEach(({ metrics }, step) => {
    expect(Object.keys(metrics)).toEqual(Object.keys(theirs[step].metrics))
    for (const [name, value] of Object.entries(theirs[step].metrics)) {
      const error = Math.abs(metrics[name] - value) / Math.max(1, Math.abs(value))
      expect(error, `${name} in step ${step + 1}`).toBeLessThan(tolerance)
    }
  })
}
