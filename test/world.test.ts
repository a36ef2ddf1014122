import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterpreterBackend } from '@collimate/backend-interpreter'
import type { Example, ObjectiveUse, Policy, Trainer } from '@collimate/core'
import {
  contextOf,
  distributionOf,
  drive,
  exactPreferences,
  imitationExamples,
  klDivergence,
  logSumExp,
  makePreferenceWorld,
  makeWorld,
  normalise,
  objectiveValue,
  optimalPolicy,
  preferenceExamples,
  tabularPolicy,
  vocabularySize,
  type World,
} from '@collimate/laws'
import { createModel } from '@collimate/models'
import { createPolicy } from '@collimate/policy-transformer'
import { dpoLossOptions, dpoObjective, dpoOptions, dpoTrainer } from '@collimate/trainer-dpo'
import { sftObjective, sftOptions, sftTrainer } from '@collimate/trainer-sft'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** Two prompts, seven completions each, some twice as likely to be preferred as others. */
const { world, odds } = makePreferenceWorld({
  letters: 2,
  maxLength: 2,
  beta: 0.25,
  odds: [
    [1, 2, 2, 2, 1, 1, 2],
    [2, 1, 1, 2, 2, 1, 1],
  ],
  referenceLogits: [
    [0, 1, -1, 0, 2, 0, -2],
    [1, 0, 0, -1, 0, 1, 0],
  ],
})

const objective = async ({ use, options }: ObjectiveUse) =>
  use === 'sft' ? sftObjective : dpoObjective(dpoLossOptions.parse(options))

/** The same world served by a tiny transformer: it begins where it is, not at the world's reference. */
function tinyTransformer({ letters }: World): Promise<Policy> {
  const config = {
    ...{ model_type: 'llama', vocab_size: vocabularySize({ letters }), eos_token_id: 0, hidden_size: 16 },
    ...{ intermediate_size: 32, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 8 },
    ...{ initializer_range: 0.4, tie_word_embeddings: false },
  }
  return createPolicy({
    ...{ backend: createInterpreterBackend(), files: createModel({ config, seed: 3 }), objective },
    options: { decodeBatchSize: 16, freezeDecoding: false, programMemory: 2 ** 28 },
  })
}

let cacheFolder: string
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'collimate-world-'))
})
afterAll(() => rm(cacheFolder, { recursive: true, force: true }))

async function train(policy: Policy, trainer: Trainer, rows: readonly Example[], totalSteps: number): Promise<void> {
  const reference = await policy.reference()
  const { context } = contextOf(trainer, { policy, reference, train: rows, totalSteps, seed: 1, cacheFolder })
  await drive(trainer, context)
  await reference.close()
}

describe.each([
  {
    name: 'a table',
    start: async () => tabularPolicy(world, { objective }),
    steps: 150,
    learningRate: 0.2,
    gap: 1e-6,
    divergence: 1e-6,
  },
  {
    name: 'a tiny transformer',
    start: () => tinyTransformer(world),
    steps: 100,
    learningRate: 0.03,
    gap: 1e-3,
    divergence: 0.02,
  },
])('$name in the enumerable world', ({ start, steps, learningRate, gap, divergence }) => {
  const shape = { steps, learningRate, maxGradNorm: 0, loggingSteps: 1000 }

  test('is a distribution over the completions', async () => {
    const policy = await start()
    for (const row of await distributionOf(policy, world)) expect(logSumExp(row)).toBeCloseTo(0, 12)
    await policy.close()
  })

  test('reaches the optimal policy by DPO on exact preferences', async () => {
    const policy = await start()
    const here = { ...world, reference: await distributionOf(policy, world) }
    const rows = preferenceExamples(world, exactPreferences({ odds }))
    const options = dpoOptions.parse({ ...shape, beta: world.beta, batchSize: rows.length })
    await train(policy, dpoTrainer(options), rows, steps)
    const best = objectiveValue(here, optimalPolicy(here))
    const [before, after] = [here.reference, await distributionOf(policy, world)].map(
      (distribution) => best - objectiveValue(here, distribution),
    )
    console.log(`J(π*) − J(π): ${before.toFixed(4)} before, ${after.toExponential(1)} after ${steps} steps`)
    expect(before).toBeGreaterThan(0.1)
    expect(after).toBeLessThan(gap)
    await policy.close()
  })

  test('becomes the empirical distribution by SFT', async () => {
    const policy = await start()
    const rows = imitationExamples(world, odds)
    await train(policy, sftTrainer(sftOptions.parse({ ...shape, batchSize: rows.length, steps: 250 })), rows, 250)
    const counted = odds.map((row) => normalise(row.map(Math.log)))
    const kl = klDivergence(counted, await distributionOf(policy, world))
    expect(Math.max(...kl)).toBeLessThan(divergence)
    await policy.close()
  })
})

test('a transformer with more tokens than the world is not its distribution, and says so', async () => {
  const policy = await tinyTransformer(makeWorld({ letters: 4, maxLength: 1, beta: 1, rewards: [[0, 0, 0, 0, 0]] }))
  const [row] = await distributionOf(policy, world)
  expect(Math.exp(logSumExp(row))).toBeLessThan(0.99)
  await policy.close()
})
