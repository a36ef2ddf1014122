import fc from 'fast-check'
import { law, Violation, type Law } from '../law.js'
import {
  imitationExamples,
  preferenceExamples,
  comparisonLoss,
  preferenceWorlds,
  samplePreferences,
  exactPreferences,
  promptExamples,
} from '../world/datasets.js'
import { distributionOf } from '../world/distribution-of.js'
import { implicitRewards, objectiveValue, optimalPolicy, type Distribution } from '../world/exact.js'
import { preferenceScore, sampledGapBound } from '../world/information.js'
import { showWorld, type World } from '../world/world.js'
import { contextOf, drive } from './drive.js'
import type { LawTrainerOptions, Subject } from './subject.js'
import type { Example } from '@collimate/core'

/** The greatest gap to the optimum that a converged run may leave. */
const gapTolerance = 1e-5

/** Trains from the reference to the end and gives the distribution that came of it. */
async function trained(
  subject: Subject,
  world: World,
  train: readonly Example[],
  given: Partial<LawTrainerOptions>,
): Promise<Distribution> {
  const trainer = subject.create(subject.options(world, { batchSize: train.length, loggingSteps: 1000, ...given }))
  const policy = subject.start(world)
  const reference = await policy.reference()
  try {
    const { context } = contextOf(trainer, {
      ...{
        policy,
        reference,
        train,
        totalSteps: given.steps ?? 150,
        seed: 1,
        cacheFolder: await subject.cacheFolder(),
      },
      ...subject.surroundings(trainer, world),
    })
    await drive(trainer, context)
    return await distributionOf(policy, world)
  } finally {
    await reference.close()
    await policy.close()
  }
}

/** The distribution next to what it should be, for the message. */
function compared(world: World, found: Distribution, expected: Distribution): string {
  const rows = world.prompts.map((prompt, x) => {
    const all = world.completions.map(
      (ids, y) => `[${ids.join(' ')}] ${Math.exp(found[x][y]).toFixed(4)} for ${Math.exp(expected[x][y]).toFixed(4)}`,
    )
    return `prompt [${prompt.join(' ')}]: ${all.join(', ')}`
  })
  return rows.join('; ')
}

/** J(π*) − J(π) within the tolerance, or the two distributions side by side. */
function requireOptimal(world: World, found: Distribution, tolerance: number): void {
  const optimum = optimalPolicy(world)
  const best = objectiveValue(world, optimum)
  const gap = best - objectiveValue(world, found)
  if (gap <= tolerance) return
  throw new Violation(
    `J(π) is ${best - gap}, J(π*) is ${best}, ${gap.toExponential(2)} more; ${compared(world, found, optimum)}`,
  )
}

const drawn = fc.record({ preferences: preferenceWorlds({ most: 4, prompts: 1 }), seed: fc.nat(1e6) })

/** Where a trainer comes to, by what its manifest claims as `optimum`. */
export function optimumLaws(subject: Subject): Law[] {
  const capability = 'optimum'
  // Rewards of size r are r/β nats away.
  const rate = (world: World): number => 0.1 / Math.min(1, world.beta)
  const preferences = [
    law({
      name: 'trainer/preferences',
      statement:
        'Trained on Bradley-Terry preferences in their exact proportions, it reaches the optimal policy of their rewards.',
      formula: 'J(π*) − J(π) < 10⁻⁵,  π* = π_ref exp(r/β)/Z',
      source: 'Rafailov et al., arXiv 2305.18290, theorem 1 and section 4',
      cost: 30,
      capability,
      arbitrary: preferenceWorlds(),
      show: ({ world }) => showWorld(world),
      async holds({ world, odds }) {
        const train = preferenceExamples(world, exactPreferences({ odds }))
        const found = await trained(subject, world, train, { steps: 150, learningRate: rate(world) })
        requireOptimal(world, found, gapTolerance)
      },
    }),
    law({
      name: 'trainer/sampled-preferences',
      statement:
        'Trained on sampled preferences, it fits them as well as any reward can, and the true optimum lies within the confidence interval.',
      formula: 'Σ (1{y chosen} − P(y chosen)) = 0;  J(π*) − J(π) ≤ Σλ + 2√(t Σλ²) + 2t max λ, λ of C I⁻¹ / 2β, t = 20',
      source: 'arXiv 2305.18290, eq. 7 (maximum likelihood); Laurent and Massart, Ann. Statist. 28 (2000), lemma 1',
      cost: 33,
      capability,
      arbitrary: drawn,
      show: ({ preferences: { world }, seed }) => `400 comparisons of seed ${seed}; ${showWorld(world)}`,
      async holds({ preferences: { world }, seed }) {
        const comparisons = samplePreferences(world, 400, seed)
        const found = await trained(subject, world, preferenceExamples(world, comparisons), {
          steps: 150,
          learningRate: rate(world),
        })
        const rewards = implicitRewards(world, found)
        preferenceScore(rewards, comparisons).forEach((row, x) =>
          row.forEach((score, y) => {
            if (Math.abs(score) / comparisons.length > 1e-3)
              throw new Violation(
                `completion [${world.completions[y].join(' ')}] of prompt ${x} is preferred ${score.toFixed(2)} times more often than the policy's rewards say`,
              )
          }),
        )
        const [mine, truth] = [comparisonLoss(rewards, comparisons), comparisonLoss(world.rewards, comparisons)]
        if (mine > truth + 1e-3)
          throw new Violation(
            `the sample is likelier under the true rewards (loss ${truth}) than under the policy's (${mine})`,
          )
        requireOptimal(world, found, sampledGapBound(world, comparisons, 20))
      },
    }),
  ]
  const imitation = [
    law({
      name: 'trainer/imitation',
      statement:
        'Trained on completions, it becomes their empirical conditional distribution, which minimises cross-entropy.',
      formula: 'π(y|x) → n(x,y) / Σ_y n(x,y);  KL < 10⁻⁵',
      source: 'Gibbs’ inequality; maximum likelihood of a saturated model',
      cost: 30,
      capability,
      arbitrary: preferenceWorlds({ most: 15 }),
      show: ({ world, odds }) => `counts ${JSON.stringify(odds)}; ${showWorld(world)}`,
      async holds({ world, odds }) {
        // After 150 steps one world in 400 is still 1.2e-5 away, after 200 none more than 1e-7.
        const found = await trained(subject, world, imitationExamples(world, odds), { steps: 200 })
        const expected = odds.map((row) => {
          const total = row.reduce((sum, count) => sum + count, 0)
          return row.map((count) => Math.log(count / total))
        })
        const distance = expected.reduce(
          (sum, row, x) => sum + row.reduce((kl, logProb, y) => kl + Math.exp(logProb) * (logProb - found[x][y]), 0),
          0,
        )
        if (!(distance < gapTolerance))
          throw new Violation(`KL(data ‖ π) is ${distance.toExponential(2)}; ${compared(world, found, expected)}`)
      },
    }),
  ]
  const reward = [
    law({
      name: 'trainer/reward',
      statement:
        'Trained on a reward, on 128 samples in each of 60 steps, it reaches the value of the optimal policy of reward under a KL penalty.',
      formula: 'J(π*) − 0.01 max(1, max r − min r) ≤ J(π) ≤ J(π*), both exact by enumeration',
      source: 'arXiv 2305.18290, eq. 3 and 4; Ziegler et al., arXiv 1909.08593',
      cost: 33,
      capability,
      arbitrary: preferenceWorlds({ most: 4 }),
      show: ({ world }) => showWorld(world),
      async holds({ world }) {
        const prompts = promptExamples(world, 32 / world.prompts.length)
        const found = await trained(subject, world, prompts, { steps: 60, learningRate: 0.15, numGenerations: 4 })
        const rewards = world.rewards.flat()
        requireOptimal(world, found, 0.01 * Math.max(1, Math.max(...rewards) - Math.min(...rewards)))
      },
    }),
  ]
  const laws: Readonly<Record<string, readonly Law[]>> = { preferences, imitation, reward }
  const { optimum } = subject.claims ?? {}
  // Nothing claimed: all are declared unsupported. Something that nobody knows: no law checks it.
  if (optimum === undefined || optimum === false) return Object.values(laws).flat()
  return [...(laws[String(optimum)] ?? [])]
}
