import { join } from 'node:path'
import { learningRateAt, schedules } from '@collimate/core'
import type { Policy, UpdateReport, UpdateRequest } from '@collimate/core'
import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { sameBits } from '../policy/subject.js'
import { preferenceWorlds, type PreferenceWorld } from '../world/datasets.js'
import { normalise, showWorld } from '../world/world.js'
import { contextOf } from './drive.js'
import type { LawTrainerOptions, Subject } from './subject.js'

interface Update {
  readonly request: UpdateRequest
  readonly report: UpdateReport
}

interface RecordedRun {
  readonly options: Partial<LawTrainerOptions>
  readonly totalSteps: number
  readonly cacheFolder: string
}

/** A run of a few steps, with the updates that it made before each report. */
async function recorded(subject: Subject, preferences: PreferenceWorld, given: RecordedRun) {
  const { world } = preferences
  const trainer = subject.create(subject.options(world, { steps: given.totalSteps, ...given.options }))
  const policy = subject.start(world)
  const reference = await policy.reference()
  let made: Update[] = []
  const recording: Policy = {
    ...policy,
    async update(request) {
      const report = await policy.update(request)
      made.push({ request, report })
      return report
    },
  }
  try {
    const train = subject.rows(trainer, preferences)
    const { context } = contextOf(trainer, {
      ...{ policy: recording, reference, train, totalSteps: given.totalSteps, seed: 3, cacheFolder: given.cacheFolder },
      ...subject.surroundings(trainer, world),
    })
    const steps: { readonly metrics: Readonly<Record<string, number>>; readonly updates: readonly Update[] }[] = []
    for await (const { metrics } of trainer.steps(context)) {
      steps.push({ metrics, updates: made })
      made = []
    }
    return { steps, snapshot: await policy.snapshot() }
  } finally {
    await reference.close()
    await policy.close()
  }
}

const small = preferenceWorlds({ most: 4 })

/** What a trainer writes down: its log, and what it caches. */
export function recordLaws(subject: Subject): Law[] {
  return [
    law({
      name: 'trainer/log-is-what-happened',
      statement:
        'Where a step is one update, its log says what the policy reported: loss, gradient norm, rate, metrics.',
      formula:
        'loss = L of all micro-batches;  grad_norm = ‖∇L‖ before clipping;  learning_rate = the rate of the update',
      source: 'trl#2456 and trl#1778 (grad_norm), TRL’s unweighted means over micro-batches; law W17',
      cost: 12,
      arbitrary: fc.record({ preferences: small, microBatchSize: fc.integer({ min: 2, max: 4 }) }),
      show: ({ preferences: { world }, microBatchSize }) =>
        `micro-batches of ${microBatchSize} of 4; ${showWorld(world)}`,
      async holds({ preferences, microBatchSize }) {
        const options = { batchSize: 4, microBatchSize, maxGradNorm: 0.05 }
        const cacheFolder = await subject.cacheFolder()
        const { steps } = await recorded(subject, preferences, { options, totalSteps: 3, cacheFolder })
        steps.forEach(({ metrics, updates }, i) => {
          if (updates.length !== 1) return
          const [{ request, report }] = updates
          const expected: Record<string, number> = {
            ...{ loss: report.loss, grad_norm: report.gradNorm, learning_rate: request.learningRate },
          }
          for (const [name, { sum, count }] of Object.entries(report.metrics))
            if (count > 0) expected[name] = sum / count
          for (const [name, value] of Object.entries(expected))
            if (name in metrics) near(metrics[name], value, 1e-12, `${name} of step ${i + 1}`)
        })
      },
    }),
    law({
      name: 'options/update-settings',
      statement:
        'The settings of the optimiser that a run is given are those of its updates, and the rate follows its schedule.',
      formula: 'update i of the policy gets η(i) of the schedule, β₁, β₂, ε, λ and the clipping norm as asked for',
      source: 'torchtune: whiten_rewards is read and used nowhere; ms-swift#10167; trainingShape',
      cost: 8,
      arbitrary: fc.record({
        preferences: small,
        totalSteps: fc.integer({ min: 1, max: 5 }),
        settings: fc.record({
          learningRate: fc.constantFrom(0.1, 0.01),
          schedule: fc.constantFrom(...schedules),
          warmupSteps: fc.nat(2),
          maxGradNorm: fc.constantFrom(0, 0.5),
          beta1: fc.constantFrom(0.9, 0.8),
          beta2: fc.constantFrom(0.999, 0.95),
          epsilon: fc.constantFrom(1e-8, 1e-6),
          weightDecay: fc.constantFrom(0, 0.1),
        }),
      }),
      show: ({ preferences: { world }, totalSteps, settings }) =>
        `${totalSteps} steps with ${JSON.stringify(settings)}; ${showWorld(world)}`,
      async holds({ preferences, totalSteps, settings }) {
        const cacheFolder = await subject.cacheFolder()
        const { steps } = await recorded(subject, preferences, { options: settings, totalSteps, cacheFolder })
        const { learningRate, schedule, warmupSteps, maxGradNorm, ...optimizer } = settings
        steps.forEach(({ updates }, i) => {
          const rate = learningRateAt({ learningRate, schedule, warmupSteps, totalSteps }, i)
          for (const { request } of updates) {
            const expected = { ...optimizer, learningRate: rate, maxGradNorm }
            const found = { ...request.optimizer, learningRate: request.learningRate, maxGradNorm: request.maxGradNorm }
            for (const [name, value] of Object.entries(expected))
              near(found[name as keyof typeof expected], value, 1e-12, `${name} of an update in step ${i + 1}`)
          }
        })
      },
    }),
    law({
      name: 'trainer/cache',
      statement: 'What a run finds in the cache folder of another run, with another reference, changes nothing.',
      formula: 'θ(run after another in one cache folder) = θ(run in a folder of its own)',
      source: 'trl#2423, trl#1139: cached reference log-probs that are stale; their key includes the weights',
      cost: 12,
      arbitrary: small,
      show: ({ world }) => `after a run whose reference is the other way round; ${showWorld(world)}`,
      async holds(preferences) {
        const { world } = preferences
        const reference = world.reference.map((row) => normalise([...row].reverse()))
        const other = { ...preferences, world: { ...world, reference } }
        // Enough steps to see all of the data: then what there is to compute is computed before the first.
        const rows = subject.rows(subject.create(subject.options(world, {})), preferences).length
        const run = { options: { batchSize: Math.max(1, rows) }, totalSteps: 2 }
        const shared = join(await subject.cacheFolder(), 'shared')
        await recorded(subject, other, { ...run, cacheFolder: shared })
        const after = await recorded(subject, preferences, { ...run, cacheFolder: shared })
        const alone = await recorded(subject, preferences, { ...run, cacheFolder: await subject.cacheFolder() })
        sameBits(after.snapshot, alone.snapshot, 'the policy after a run with the cache of another')
        require(after.steps.length === alone.steps.length, 'the cache changes the number of steps')
      },
    }),
  ]
}
