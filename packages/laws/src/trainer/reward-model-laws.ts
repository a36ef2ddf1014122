import fc from 'fast-check'
import { law, near, Violation, type Law } from '../law.js'
import {
  comparisonLoss,
  exactPreferences,
  preferenceExamples,
  preferenceWorlds,
  samplePreferences,
  type Comparison,
} from '../world/datasets.js'
import { preferenceInformation, preferenceScore } from '../world/information.js'
import { rewardsOf } from '../world/rewards-of.js'
import { showWorld, type Table, type World } from '../world/world.js'
import { contextOf, drive } from './drive.js'
import type { LawTrainerOptions, Subject } from './subject.js'
import type { Example, Policy } from '@collimate/core'

/** How far a recovered difference of rewards may be off. */
const tolerance = 1e-3

/** Trains a table of scores that begins with 0 everywhere, and gives the rewards that came of it. */
async function trainedRewards(
  subject: Subject,
  world: World,
  train: readonly Example[],
  given: Partial<LawTrainerOptions>,
): Promise<Table> {
  const options = { batchSize: train.length, loggingSteps: 1000, learningRate: 0.2, steps: 150, ...given }
  const trainer = subject.create(subject.options(world, options))
  const policy = subject.start(world)
  try {
    const { context } = contextOf(trainer, {
      ...{ policy, train, totalSteps: options.steps, seed: 1, cacheFolder: await subject.cacheFolder() },
    })
    await drive(trainer, context)
    return await rewardsOf(policy, world)
  } finally {
    await policy.close()
  }
}

/** Rewards of each prompt less their mean: what preferences can tell of them. */
const centred = (rewards: Table): number[][] =>
  rewards.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length
    return row.map((value) => value - mean)
  })

function requireRewards(world: World, found: Table, expected: Table): void {
  const [mine, truth] = [centred(found), centred(expected)]
  truth.forEach((row, x) =>
    row.forEach((value, y) =>
      near(
        mine[x][y],
        value,
        tolerance,
        `the reward of completion [${world.completions[y].join(' ')}] of prompt ${x}, above the mean of the prompt,`,
      ),
    ),
  )
}

/** Rows with TRL's column `margin`: how much the chosen answer is ahead in `lead`. */
const withMargins = (rows: readonly Example[], comparisons: readonly Comparison[], lead: Table): Example[] =>
  rows.map((row, i) => {
    const { x, chosen, rejected } = comparisons[i]
    return { ...row, columns: { ...row.columns, margin: lead[x][chosen] - lead[x][rejected] } }
  })

/** Where a trainer of reward models comes to: its manifest claims `rewards` as `optimum`, and `margins` where it reads them. */
export function rewardModelLaws(subject: Subject): Law[] {
  const { optimum } = subject.claims ?? {}
  const capability = 'optimum'
  const worlds = preferenceWorlds({ most: 7 })
  const laws = [
    law({
      name: 'trainer/rewards',
      statement:
        'Trained on Bradley-Terry preferences in their exact proportions, a reward model recovers the reward up to a function of the prompt.',
      formula: 'r̂(x, y) − mean_y r̂(x, ·) = r(x, y) − mean_y r(x, ·), to 10⁻³',
      source: 'Bradley and Terry, Biometrika 39 (1952); arXiv 2305.18290, definition 1: equivalent reward functions',
      cost: 30,
      capability,
      arbitrary: worlds,
      show: ({ world }) => showWorld(world),
      async holds({ world, odds }) {
        const train = preferenceExamples(world, exactPreferences({ odds }))
        requireRewards(world, await trainedRewards(subject, world, train, {}), world.rewards)
      },
    }),
    law({
      name: 'trainer/sampled-rewards',
      statement:
        'Trained on sampled preferences, a reward model fits them as well as any reward can, and the true reward lies within its confidence region.',
      formula: 'Σ (1{y chosen} − P(y chosen)) = 0;  (r̂ − r)ᵀ I (r̂ − r) ≤ k + 2√(kt) + 2t, k = Σ_x (|Y| − 1), t = 14',
      source: 'maximum likelihood: r̂ ~ N(r, I⁻¹); Laurent and Massart, Ann. Statist. 28 (2000), lemma 1',
      cost: 33,
      capability,
      arbitrary: fc.record({ preferences: preferenceWorlds({ most: 4, prompts: 2 }), seed: fc.nat(1e6) }),
      show: ({ preferences: { world }, seed }) => `300 comparisons of seed ${seed}; ${showWorld(world)}`,
      async holds({ preferences: { world }, seed }) {
        const comparisons = samplePreferences(world, 300, seed)
        const rewards = await trainedRewards(subject, world, preferenceExamples(world, comparisons), {})
        preferenceScore(rewards, comparisons).forEach((row, x) =>
          row.forEach((score, y) => {
            if (Math.abs(score) / comparisons.length > 1e-3)
              throw new Violation(
                `completion [${world.completions[y].join(' ')}] of prompt ${x} is preferred ${score.toFixed(2)} times more often than the rewards say`,
              )
          }),
        )
        requireWithinRegion(world, rewards, comparisons)
      },
    }),
  ]
  const margins = law({
    name: 'trainer/margins',
    statement:
      'With margins that say how far answers are apart in another reward, a reward model learns the sum of both.',
    formula: 'margin = u(x, y_w) − u(x, y_l)  →  r̂ = r + u up to a function of the prompt',
    source: 'Llama 2, arXiv 2307.09288, eq. 2; OpenRLHF reads margins and ignores them',
    cost: 30,
    capability: 'margins',
    arbitrary: worlds.chain(({ world, odds }) =>
      fc.record({
        world: fc.constant(world),
        odds: fc.constant(odds),
        lead: fc.array(fc.array(fc.constantFrom(0, 0.5, -1), { minLength: 7, maxLength: 7 }), {
          minLength: 2,
          maxLength: 2,
        }),
      }),
    ),
    show: ({ world, lead }) => `u ${JSON.stringify(lead)}; ${showWorld(world)}`,
    async holds({ world, odds, lead }) {
      const comparisons = exactPreferences({ odds })
      const train = withMargins(preferenceExamples(world, comparisons), comparisons, lead)
      const sum = world.rewards.map((row, x) => row.map((reward, y) => reward + lead[x][y]))
      requireRewards(world, await trainedRewards(subject, world, train, {}), sum)
    },
  })
  if (optimum === undefined || optimum === false) return laws
  return optimum === 'rewards' ? [...laws, margins] : []
}

/** The true rewards in the region where those that fit best lie around them with probability 1 − e^(−14). */
function requireWithinRegion({ rewards: truth }: World, found: Table, comparisons: readonly Comparison[]): void {
  const [mine, real] = [centred(found), centred(truth)]
  const t = 14
  let [distance, freedoms] = [0, 0]
  truth.forEach((row, x) => {
    const information = preferenceInformation(
      row,
      comparisons.filter((comparison) => comparison.x === x),
    )
    const off = mine[x].map((value, y) => value - real[x][y])
    distance += off.reduce((sum, a, i) => sum + off.reduce((inner, b, k) => inner + a * information[i][k] * b, 0), 0)
    freedoms += row.length - 1
  })
  const most = freedoms + 2 * Math.sqrt(freedoms * t) + 2 * t
  if (distance > most)
    throw new Violation(
      `the rewards are ${distance.toFixed(1)} from the true ones, in units of what the sample tells, more than ${most.toFixed(1)}`,
    )
}

/** What an evaluation must say of a reward model in the world, where it says it. */
export async function requireExactRewards(
  policy: Policy,
  world: World,
  comparisons: readonly Comparison[],
  measured: Readonly<Record<string, { readonly value: number }>>,
): Promise<void> {
  const rewards = await rewardsOf(policy, world)
  const margins = comparisons.map(({ x, chosen, rejected }) => rewards[x][chosen] - rewards[x][rejected])
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const expected: Record<string, number> = {
    eval_loss: comparisonLoss(rewards, comparisons) / comparisons.length,
    eval_margin: mean(margins),
    eval_accuracy: mean(margins.map((margin) => Number(margin > 0))),
    eval_mean_reward: mean(
      comparisons.map(({ x, chosen, rejected }) => (rewards[x][chosen] + rewards[x][rejected]) / 2),
    ),
  }
  for (const [name, value] of Object.entries(expected))
    if (measured[name]) near(measured[name].value, value, 1e-9, name)
}
