import type { CollimateEvents, EstimatorRequest, Policy, RewardSource } from '@collimate/core'
import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { preferenceWorlds, type PreferenceWorld } from '../world/datasets.js'
import { distributionOf } from '../world/distribution-of.js'
import { showWorld } from '../world/world.js'
import { contextOf } from './drive.js'
import type { LawTrainerOptions, Subject } from './subject.js'

/** What a step told the bus, and its log. */
interface Told {
  readonly metrics: Readonly<Record<string, number>>
  /** Version of the policy before the step. */
  readonly version: number
  readonly sampled: readonly CollimateEvents['rollout.sampled'][]
  readonly scored: readonly CollimateEvents['rollout.scored'][]
  readonly estimated: readonly CollimateEvents['advantages.estimated'][]
}

interface Watched {
  readonly options: Partial<LawTrainerOptions>
  readonly totalSteps: number
  readonly reward?: (reward: RewardSource) => RewardSource
}

/** A run of a few steps with what it told the bus. */
async function watch(subject: Subject, preferences: PreferenceWorld, { options, totalSteps, reward }: Watched) {
  const { world } = preferences
  const trainer = subject.create(subject.options(world, { steps: totalSteps, ...options }))
  const policy = subject.start(world)
  const reference = await policy.reference()
  const streams: number[] = []
  const watched: Policy = {
    ...policy,
    generate(request) {
      streams.push(...request.prompts.map((_, at) => request.streams?.[at] ?? at))
      return policy.generate(request)
    },
  }
  try {
    const surroundings = subject.surroundings(trainer, world)
    const { context } = contextOf(trainer, {
      ...{ policy: watched, reference, train: subject.rows(trainer, preferences), totalSteps, seed: 3 },
      ...{ cacheFolder: await subject.cacheFolder(), ...surroundings },
      ...(reward && surroundings.reward && { reward: reward(surroundings.reward) }),
    })
    const listen = <Name extends keyof CollimateEvents>(name: Name): CollimateEvents[Name][] => {
      const heard: CollimateEvents[Name][] = []
      context.bus.on(name, (event) => heard.push(event))
      return heard
    }
    const [sampled, scored] = [listen('rollout.sampled'), listen('rollout.scored')]
    const estimated = listen('advantages.estimated')
    const told: Told[] = []
    const steps = trainer.steps(context)
    for (;;) {
      const { version } = await policy.describe()
      const next = await steps.next()
      if (next.done) break
      told.push({
        ...{ metrics: next.value.metrics, version },
        ...{ sampled: sampled.splice(0), scored: scored.splice(0), estimated: estimated.splice(0) },
      })
    }
    const { temperature = 1 } = options
    return { trainer, told, streams, reference: await distributionOf(reference, world, temperature) }
  } finally {
    await reference.close()
    await policy.close()
  }
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)
const mean = (values: ArrayLike<number>): number => sum(values) / values.length

/** With Bessel's correction. */
function deviation(values: ArrayLike<number>): number {
  const centre = mean(values)
  return Math.sqrt(sum(Array.from(values, (value) => (value - centre) ** 2)) / (values.length - 1))
}

/** Laws of what trainers of reward sample, tell and log; none of trainers of something else. */
export function rolloutLaws(subject: Subject): Law[] {
  const { optimum = 'reward' } = subject.claims ?? {}
  if (optimum !== 'reward') return []
  const small = preferenceWorlds({ most: 4 })
  return [
    law({
      name: 'trainer/rollouts',
      statement:
        'Each step draws random numbers of its own and tells what it samples, scores and estimates; what it logs of rewards, lengths and the KL can be computed again from that, rewards before any penalty.',
      formula:
        'reward = mean R, reward_std = sd R, frac_reward_zero_std = share of groups of one R; objective/kl = mean Σ_t log π/π_ref',
      source:
        'law W17; TRL rloo_trainer.py takes frac_reward_zero_std after the KL penalty; TRL PPO averages its metrics over padding; verl issue 3805',
      cost: 8,
      capability: 'optimum',
      arbitrary: fc.record({
        preferences: small,
        temperature: fc.constantFrom(1, 0.5),
        numGenerations: fc.integer({ min: 2, max: 3 }),
      }),
      show: ({ preferences: { world }, temperature, numGenerations }) =>
        `${numGenerations} completions a prompt at temperature ${temperature}; ${showWorld(world)}`,
      async holds({ preferences, temperature, numGenerations }) {
        const { world } = preferences
        const options = { temperature, numGenerations, batchSize: 3 }
        const { trainer, told, streams, reference } = await watch(subject, preferences, { options, totalSteps: 3 })
        require(new Set(streams).size === streams.length, 'two completions are drawn with the same random numbers')
        told.forEach(({ metrics, version, sampled, scored, estimated }, at) => {
          const step = at + 1
          const wanted = trainer.plan.requires.estimator ? 1 : 0
          const heard = [sampled.length, scored.length, Math.max(wanted, estimated.length)]
          require(heard.join() ===
            `1,1,${wanted}`, `step ${step} told of samples, scores and estimates ${heard.join()} times`)
          const [{ rollouts, groupSize }] = sampled
          const [{ rewards }] = scored
          require(groupSize === numGenerations, `groups of step ${step} have ${groupSize} completions`)
          const places = rollouts.map(({ prompt, completion }) => ({
            x: world.prompts.findIndex((ids) => ids.join() === prompt.ids.join()),
            y: world.completions.findIndex((ids) => ids.join() === completion.ids.join()),
          }))
          rollouts.forEach((rollout, n) => {
            const { x, y } = places[n]
            require(x === places[n - (n % groupSize)].x, `rollout ${n} is of another prompt than its group`)
            require(rollout.version ===
              version, `rollout ${n} says version ${rollout.version}, the policy's is ${version}`)
            require(rollout.temperature === temperature, `rollout ${n} says temperature ${rollout.temperature}`)
            near(rewards[n], world.rewards[x][y], 1e-12, `the reward of rollout ${n}`)
          })
          for (const { request } of estimated) requireRectangle(request, rollouts.length, groupSize)

          const groups = Array.from({ length: rollouts.length / groupSize }, (_, g) =>
            rewards.slice(g * groupSize, (g + 1) * groupSize),
          )
          const lengths = rollouts.map(({ completion }) => completion.ids.length)
          const kl = rollouts.map(({ logProbs }, n) => sum(logProbs) - reference[places[n].x][places[n].y])
          const expected = {
            reward: mean(rewards),
            reward_std: deviation(rewards),
            frac_reward_zero_std: groups.filter((group) => group.every((r) => r === group[0])).length / groups.length,
            'completions/mean_length': mean(lengths),
            'completions/clipped_ratio': mean(rollouts.map(({ endedBy }) => Number(endedBy === 'length'))),
            'objective/kl': mean(kl),
            kl: sum(kl) / sum(lengths),
          }
          for (const [name, value] of Object.entries(expected))
            if (name in metrics) near(metrics[name], value, 1e-6, `${name} of step ${step}`)
        })
      },
    }),
    law({
      name: 'reinforce/mean-of-earlier',
      statement:
        'The moving mean of rewards that the estimator is told is that of earlier steps alone: nothing before the first, the mean of the first in the second, and then between the mean before and that of the step before.',
      formula: 'm₁ absent, m₂ = mean R₁, min(m_t, mean R_t) ≤ m_{t+1} ≤ max(m_t, mean R_t)',
      source:
        'Williams, Machine Learning 8 (1992): a baseline must not depend on the action; EstimatorRequest.meanReward',
      cost: 8,
      capability: 'movingMean',
      arbitrary: small,
      show: ({ world }) => showWorld(world),
      async holds(preferences) {
        // Rewards that rise with the steps, so that no mean is another's.
        let asked = 0
        const rising = (reward: RewardSource): RewardSource => ({
          ...reward,
          async score(request) {
            const { scores, ...rest } = await reward.score(request)
            const by = 10 * asked++
            return { ...rest, scores: scores.map((row) => row.map((score) => score + by)) }
          },
        })
        const { told } = await watch(subject, preferences, { options: {}, totalSteps: 4, reward: rising })
        let earlier: { readonly mean: number | undefined; readonly present: number } | undefined
        told.forEach(({ estimated: [{ request }] }, at) => {
          const { meanReward } = request
          if (!earlier) require(meanReward === undefined, `the mean before the first step is ${meanReward}`)
          else if (earlier.mean === undefined) near(meanReward ?? NaN, earlier.present, 1e-9, 'the mean in step 2')
          else {
            const [low, high] = [Math.min(earlier.mean, earlier.present), Math.max(earlier.mean, earlier.present)]
            if (!(meanReward !== undefined && low < meanReward && meanReward < high))
              throw new Violation(`the mean in step ${at + 1} is ${meanReward}, not between ${low} and ${high}`)
          }
          earlier = { mean: meanReward, present: sum(request.rewards) / request.rows }
        })
      },
    }),
  ]
}

/** Rewards of each completion where its tokens are, and none elsewhere. */
function requireRectangle(request: EstimatorRequest, rows: number, groupSize: number): void {
  require(request.rows === rows, `the estimator is asked for ${request.rows} rows of ${rows} rollouts`)
  require(request.groupSize === groupSize, `the estimator is told of groups of ${request.groupSize}, not ${groupSize}`)
  request.rewards.forEach((reward, slot) =>
    require(request.mask[slot] !== 0 || reward === 0, `slot ${slot} is masked and has the reward ${reward}`),
  )
}
