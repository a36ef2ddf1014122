import type { Backend, Example, ModelSnapshot, ObjectiveUse, RewardSource } from '@collimate/core'
import { sequenceEstimator, sequenceOptions } from '@collimate/estimator-sequence'
import type { BaselineName } from '@collimate/estimator-sequence'
import { contextOf, drive, lawsOfTrainer, testLaws } from '@collimate/laws'
import {
  reinforceLossOptions,
  reinforceObjective,
  reinforceOptions,
  reinforceTrainer,
} from '@collimate/trainer-reinforce'
import { describe, expect, test } from 'vitest'
import { backends, policyOf, smallModel } from './support/policies.js'

const estimatorOf = (baseline: BaselineName) => sequenceEstimator(sequenceOptions.parse({ baseline }))

describe('the trainer with the baselines of the estimator sequence', () => {
  /** Share of ∇J that a step in groups of two is along. */
  const gradients: Readonly<Partial<Record<BaselineName, number>>> = {
    ...{ none: 1, 'moving-average': 1, 'leave-one-out': 1, 'group-mean': 1 / 2 },
  }
  for (const [baseline, policyGradient] of Object.entries(gradients) as [BaselineName, number][]) {
    const suite = lawsOfTrainer({
      name: `reinforce with ${baseline}`,
      create: (options) => reinforceTrainer(reinforceOptions.parse(options)),
      objectives: ({ options }: ObjectiveUse) => reinforceObjective(reinforceLossOptions.parse(options)),
      estimator: () => estimatorOf(baseline),
      claims: { optimum: 'reward', policyGradient },
    })
    const laws = suite.laws.filter(({ name }) => ['reinforce/expected-step', 'trainer/rollouts'].includes(name))
    testLaws({ ...suite, laws, unsupported: [] }, { test }, { runs: 30, seed: 1 })
  }
})

describe.each(backends)('on a transformer on $name', ({ create }) => {
  const objective = reinforceObjective(reinforceLossOptions.parse({ maxCompletionLength: 6 }))

  /** A run on four prompts whose reward is the share of token 5 in an answer. */
  async function run(backend: Backend, given: object, totalSteps: number, most?: number, from?: Checkpoint) {
    const trainer = reinforceTrainer(
      reinforceOptions.parse({
        ...{ maxNewTokens: 6, batchSize: 4, numGenerations: 4, learningRate: 0.01, loggingSteps: 1, beta: 0.01 },
        ...given,
      }),
    )
    const policy = await policyOf(backend, smallModel(), { objectives: { reinforce: objective } })
    const reference = await policy.reference()
    try {
      if (from) {
        await policy.restore({ snapshot: from.policy })
        trainer.restore(from.trainer)
      }
      const { context } = contextOf(trainer, {
        ...{ policy, reference, reward: shareOfFive, estimator: estimatorOf('leave-one-out'), cacheFolder: '' },
        ...{ train: prompts, evaluation: prompts, totalSteps, seed: 1, ...(from && { from }) },
      })
      const reports = await drive(trainer, context, most)
      const step = (from?.step ?? 0) + reports.length
      const checkpoint = { policy: await policy.snapshot(), trainer: trainer.state(), step, consumed: 4 * step }
      return { reports, checkpoint, measured: await trainer.evaluate?.(context) }
    } finally {
      await reference.close()
      await policy.close()
    }
  }

  test('ratios are 1 on fresh samples, at a temperature too, so that the loss is the mean advantage: 0', async () => {
    const backend = await create()
    try {
      const { reports } = await run(backend, { temperature: 0.7 }, 3)
      for (const { metrics } of reports) {
        expect(metrics['clip_ratio/region_mean']).toBe(0)
        expect(Math.abs(metrics.loss)).toBeLessThan(1e-5)
        expect(metrics.grad_norm).toBeGreaterThan(1e-3)
      }
    } finally {
      await backend.close()
    }
  })

  test('goes on after a stop in the same bits', async () => {
    const backend = await create()
    try {
      const options = { numIterations: 2, numMiniBatches: 2 }
      const whole = await run(backend, options, 4)
      const begun = await run(backend, options, 4, 2)
      const rest = await run(backend, options, 4, undefined, begun.checkpoint)
      expect([...begun.reports, ...rest.reports]).toEqual(whole.reports)
      expect(rest.checkpoint).toEqual(whole.checkpoint)
    } finally {
      await backend.close()
    }
  })

  test('the reward rises', async () => {
    const backend = await create()
    try {
      const { reports, measured } = await run(backend, { learningRate: 0.02 }, 30)
      const rewards = reports.map(({ metrics }) => metrics.reward)
      const mean = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0) / some.length
      expect(mean(rewards.slice(-5))).toBeGreaterThan(mean(rewards.slice(0, 5)) + 0.4)
      expect(measured?.eval_kl.value).toBeGreaterThan(0)
    } finally {
      await backend.close()
    }
  })
})

interface Checkpoint {
  readonly policy: ModelSnapshot
  readonly trainer: unknown
  readonly step: number
  readonly consumed: number
}

const prompts = Array.from({ length: 4 }, (_, index): Example => ({
  ...{ index, prompt: Int32Array.of(1, 7 + index, 11), completions: [], columns: {} },
  text: { prompt: '', completions: [] },
}))

const shareOfFive: RewardSource = {
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ completion: { ids } }) =>
      Float64Array.of(ids.filter((id) => id === 5).length / ids.length),
    ),
  }),
  close: async () => undefined,
}
