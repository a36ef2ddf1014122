import { CollimateError } from '@collimate/core'
import type { ModelSnapshot, Policy, StepReport, Trainer } from '@collimate/core'
import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { sameBits } from '../policy/subject.js'
import { exactPreferences, preferenceWorlds, type PreferenceWorld } from '../world/datasets.js'
import { distributionOf } from '../world/distribution-of.js'
import { implicitRewards, meanOverPrompts } from '../world/exact.js'
import { showWorld, type World } from '../world/world.js'
import { checkpointOf, contextOf, drive, type Checkpoint } from './drive.js'
import { requireExactRewards } from './reward-model-laws.js'
import type { LawTrainerOptions, Subject } from './subject.js'

interface Ran {
  readonly trainer: Trainer
  readonly policy: Policy
  readonly reports: readonly StepReport[]
  readonly snapshot: ModelSnapshot
  readonly checkpoint: Checkpoint
}

interface RunOptions {
  readonly options?: Partial<LawTrainerOptions>
  readonly totalSteps: number
  /** Stop after so many steps. */
  readonly most?: number
  readonly from?: Checkpoint
  readonly evaluate?: (ran: { trainer: Trainer; context: ReturnType<typeof contextOf>['context'] }) => Promise<void>
}

/** A run on the rows of a world, with its held-out split the same rows. */
async function runOn(subject: Subject, preferences: PreferenceWorld, given: RunOptions): Promise<Ran> {
  const { world } = preferences
  const { options, totalSteps, most, from, evaluate } = given
  const trainer = subject.create(subject.options(world, { steps: totalSteps, ...options }))
  const policy = subject.start(world)
  const reference = await policy.reference()
  try {
    const surroundings = subject.surroundings(trainer, world)
    const { critic } = surroundings
    if (from) {
      await policy.restore({ snapshot: from.policy })
      if (critic && from.critic) await critic.restore({ snapshot: from.critic })
      trainer.restore(from.trainer)
    }
    const rows = subject.rows(trainer, preferences)
    const { context, consumed } = contextOf(trainer, {
      ...{ policy, reference, train: rows, evaluation: rows, totalSteps, seed: 3 },
      ...{ cacheFolder: await subject.cacheFolder(), ...(from && { from }) },
      ...surroundings,
    })
    const reports = await drive(trainer, context, most)
    const place = { step: (from?.step ?? 0) + reports.length, consumed: consumed() }
    const ran = {
      trainer,
      policy,
      reports,
      snapshot: await policy.snapshot(),
      checkpoint: await checkpointOf(trainer, policy, place, critic),
    }
    await evaluate?.({ trainer, context })
    return ran
  } finally {
    await reference.close()
    await policy.close()
  }
}

/** The same numbers under the same names, bit for bit; a name without a value is no difference. */
function sameReports(actual: readonly StepReport[], expected: readonly StepReport[]): void {
  const words = ({ step, tokens, metrics }: StepReport): string =>
    JSON.stringify({ step, tokens, metrics: Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1)) })
  if (actual.length !== expected.length)
    throw new Violation(`there are ${actual.length} reports, without a stop ${expected.length}`)
  expected.forEach((report, i) => {
    if (words(actual[i]) !== words(report))
      throw new Violation(`step ${report.step} reports ${words(actual[i])}, without a stop ${words(report)}`)
  })
}

const small = preferenceWorlds({ most: 4 })

/** How a trainer runs: reports, splits, stops and measurements. */
export function runLaws(subject: Subject): Law[] {
  return [
    law({
      name: 'resumption/trainer',
      statement:
        'A run that is stopped between any two steps and resumed is the run that was not stopped, bit for bit.',
      formula: 'run(N) = run(k) + resume + run(N − k)',
      source: 'open-instruct#1523, open-instruct#1823, entrenar#294; torchtune asserts it for recipes',
      cost: 12,
      arbitrary: fc.record({
        preferences: small,
        totalSteps: fc.integer({ min: 2, max: 7 }),
        stop: fc.integer({ min: 1, max: 6 }),
        batchSize: fc.integer({ min: 1, max: 5 }),
      }),
      show: ({ preferences: { world }, totalSteps, stop, batchSize }) =>
        `${totalSteps} steps of ${batchSize} examples, stopped after ${Math.min(stop, totalSteps - 1)}; ${showWorld(world)}`,
      async holds({ preferences, totalSteps, stop, batchSize }) {
        const options = { batchSize, loggingSteps: 2 }
        const whole = await runOn(subject, preferences, { options, totalSteps })
        const begun = await runOn(subject, preferences, { options, totalSteps, most: Math.min(stop, totalSteps - 1) })
        const rest = await runOn(subject, preferences, { options, totalSteps, from: begun.checkpoint })
        sameReports([...begun.reports, ...rest.reports], whole.reports)
        sameBits(rest.snapshot, whole.snapshot, 'the policy of the resumed run')
        if (rest.checkpoint.critic && whole.checkpoint.critic)
          sameBits(rest.checkpoint.critic, whole.checkpoint.critic, 'the critic of the resumed run')
        const [mine, theirs] = [rest.trainer, whole.trainer].map((trainer) => JSON.stringify(trainer.state()))
        require(mine === theirs, `the trainer remembers ${mine}, without a stop ${theirs}`)
      },
    }),
    law({
      name: 'split/trainer',
      statement: 'The size of micro-batches changes memory and not the result, unless the trainer refuses to split.',
      formula: 'θ(microBatchSize = m) = θ(microBatchSize = batchSize)',
      source: 'trl#2617, transformers#35856, trl#6024; trainingShape.microBatchSize',
      cost: 12,
      arbitrary: fc.record({ preferences: small, microBatchSize: fc.integer({ min: 1, max: 4 }) }),
      show: ({ preferences: { world }, microBatchSize }) =>
        `micro-batches of ${microBatchSize} of 5; ${showWorld(world)}`,
      async holds({ preferences, microBatchSize }) {
        // Adam divides by the size of a gradient: a large epsilon keeps one that is 0 but for rounding from becoming a step.
        const options = { batchSize: 5, epsilon: 1e-3 }
        const whole = await runOn(subject, preferences, { options, totalSteps: 3 })
        let parts: Ran
        try {
          parts = await runOn(subject, preferences, { options: { ...options, microBatchSize }, totalSteps: 3 })
        } catch (error) {
          if (error instanceof CollimateError) return
          throw error
        }
        for (const [name, { data }] of Object.entries(whole.snapshot.tensors))
          data.forEach((value, i) => near(parts.snapshot.tensors[name].data[i], value, 1e-9, `${name}[${i}]`))
        whole.reports.forEach(({ metrics }, i) => {
          for (const [name, value] of Object.entries(metrics))
            near(parts.reports[i].metrics[name] ?? NaN, value, 1e-8, `${name} of step ${i + 1}`)
        })
      },
    }),
    law({
      name: 'trainer/reports',
      statement: 'Steps count up by one to the last, every step processes tokens, and every logged number is finite.',
      formula:
        'step_i = startStep + i;  tokens_i ∈ ℕ, > 0;  metrics finite, empty exactly on steps that are not logged',
      source: 'Trainer.steps, StepReport; trl#1778: metrics that are not what happened',
      cost: 8,
      arbitrary: fc.record({
        preferences: small,
        totalSteps: fc.integer({ min: 1, max: 7 }),
        loggingSteps: fc.integer({ min: 1, max: 4 }),
      }),
      show: ({ preferences: { world }, totalSteps, loggingSteps }) =>
        `${totalSteps} steps, logged every ${loggingSteps}; ${showWorld(world)}`,
      async holds({ preferences, totalSteps, loggingSteps }) {
        const { reports, snapshot } = await runOn(subject, preferences, { options: { loggingSteps }, totalSteps })
        require(reports.length === totalSteps, `there are ${reports.length} reports of ${totalSteps} steps`)
        reports.forEach(({ step, metrics, tokens }, i) => {
          require(step === i + 1, `report ${i + 1} is of step ${step}`)
          require(Number.isInteger(tokens) && tokens > 0, `step ${step} processes ${tokens} tokens`)
          const logged = i === 0 || step % loggingSteps === 0 || step === totalSteps
          require(Object.keys(metrics).length > 0 ===
            logged, `step ${step} of ${totalSteps} has metrics ${JSON.stringify(metrics)}, logged every ${loggingSteps}`)
          for (const [name, value] of Object.entries(metrics))
            require(Number.isFinite(value), `${name} of step ${step} is ${value}`)
        })
        require(snapshot.optimizerSteps >=
          totalSteps, `after ${totalSteps} steps the optimiser has made ${snapshot.optimizerSteps}`)
      },
    }),
    law({
      name: 'trainer/evaluate',
      statement:
        'Evaluation measures the held-out rows and changes nothing; its intervals contain its values, and its values are the exact ones.',
      formula:
        'low ≤ value ≤ high;  eval_loss of imitation = −Σ log π / Σ tokens;  margins = β (log π/π_ref (chosen) − log π/π_ref (rejected))',
      source: 'Trainer.evaluate, Measurement; trl#2456, mlx-lm-lora: metrics that lie',
      cost: 12,
      arbitrary: small,
      show: ({ world }) => showWorld(world),
      async holds(preferences) {
        await runOn(subject, preferences, {
          totalSteps: 3,
          async evaluate({ trainer, context }) {
            if (!trainer.evaluate) return
            const before = await context.policy.snapshot()
            const measured = await trainer.evaluate(context)
            sameBits(await context.policy.snapshot(), before, 'after an evaluation')
            require(Object.keys(measured).length > 0, 'nothing is measured on a held-out split that has rows')
            for (const [name, { value, low = value, high = value, count = 1 }] of Object.entries(measured)) {
              require(name.startsWith('eval_'), `a measurement is named ${name}; names begin with eval_`)
              const range = `${name} is ${value} in [${low}, ${high}]`
              require(Number.isFinite(value) && low <= value && value <= high, `${range}, which does not contain it`)
              require(count > 0, `${name} counts ${count} units`)
            }
            const again = await trainer.evaluate(context)
            require(JSON.stringify(again) === JSON.stringify(measured), 'a second evaluation measures something else')
            await requireExact(subject, preferences, context.policy, measured)
          },
        })
      },
    }),
  ]
}

/** Measurements that have a closed form in the world, where they are made. */
async function requireExact(
  subject: Subject,
  { world, odds }: PreferenceWorld,
  policy: Policy,
  measured: Readonly<Record<string, { readonly value: number }>>,
): Promise<void> {
  const { optimum } = subject.claims ?? {}
  if (optimum === 'steps') return
  if (optimum === 'rewards') return requireExactRewards(policy, world, exactPreferences({ odds }), measured)
  const found = await distributionOf(policy, world)
  if (optimum === 'imitation' && measured.eval_loss) {
    let [total, tokens] = [0, 0]
    odds.forEach((row, x) =>
      row.forEach((count, y) => {
        total -= count * found[x][y]
        tokens += count * world.completions[y].length
      }),
    )
    near(measured.eval_loss.value, total / tokens, 1e-9, 'eval_loss')
  }
  if (optimum === 'reward' && measured.eval_reward) {
    const rewards = world.rewards.flat()
    const [least, most] = [Math.min(...rewards), Math.max(...rewards)]
    const { value } = measured.eval_reward
    require(least - 1e-9 <= value &&
      value <= most + 1e-9, `eval_reward is ${value}, rewards lie in [${least}, ${most}]`)
  }
  const margins = measured['eval_rewards/margins']
  if (optimum === 'preferences' && margins) {
    const rewards = implicitRewards(world, found)
    const rows = subject.rows(subject.create(subject.options(world, {})), { world, odds })
    const place = (list: World['prompts'], ids: Int32Array): number =>
      list.findIndex((one) => one.join() === ids.join())
    const all = rows.map(({ prompt, completions }) => {
      const [chosen, rejected] = completions.map(
        (ids) => rewards[place(world.prompts, prompt)][place(world.completions, ids)],
      )
      return chosen - rejected
    })
    near(margins.value, meanOverPrompts(all), 1e-9, 'eval_rewards/margins')
  }
}
