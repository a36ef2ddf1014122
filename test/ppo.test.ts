import type { Backend, Example, ModelSnapshot, Objective, Policy, RewardSource } from '@collimate/core'
import { gaeEstimator, gaeOptions } from '@collimate/estimator-gae'
import type { Tensor } from '@collimate/graph'
import { contextOf, drive, lawsOfTrainer, testLaws } from '@collimate/laws'
import { createModel, type ModelHead } from '@collimate/models'
import {
  ppoLossOptions,
  ppoObjective,
  ppoOptions,
  ppoTrainer,
  valueLossOptions,
  valueObjective,
} from '@collimate/trainer-ppo'
import { describe, expect, test } from 'vitest'
import { backends, policyOf, smallConfigs } from './support/policies.js'

describe('the trainer with the estimator gae', () => {
  const suite = lawsOfTrainer({
    name: 'ppo with gae',
    create: (options) => ppoTrainer(ppoOptions.parse({ temperature: 1, ...options })),
    objectives: ({ use, options }) =>
      use === 'value' ? valueObjective(valueLossOptions.parse(options)) : ppoObjective(ppoLossOptions.parse(options)),
    estimator: () => gaeEstimator(gaeOptions.parse({})),
    claims: { optimum: 'reward', proximal: true, separateCritic: true },
  })
  const laws = suite.laws.filter(({ name }) => ['ppo/one-experience', 'trainer/reward'].includes(name))
  testLaws({ ...suite, laws, unsupported: [] }, { test }, { runs: 30, seed: 2 })
})

describe.each(backends)('on a transformer on $name', ({ create }) => {
  /** A run on four prompts whose reward is the share of token 5 in an answer. */
  async function run(backend: Backend, given: object, totalSteps: number, most?: number, from?: Checkpoint) {
    const options = ppoOptions.parse({
      ...{ maxNewTokens: 6, batchSize: 4, numGenerations: 4, learningRate: 0.01, loggingSteps: 1, beta: 0.01 },
      ...{ numPpoEpochs: 2, temperature: 1, ...given },
    })
    const shared = options.critic === 'shared'
    const objectives: Record<string, Objective<Tensor>> = {
      ppo: ppoObjective(ppoLossOptions.parse({ critic: options.critic })),
      value: valueObjective(valueLossOptions.parse({})),
    }
    const trainer = ppoTrainer(options)
    const policy = await policyOf(backend, small(shared ? 'language+score' : 'language'), { objectives })
    const critic: Policy | undefined = shared ? undefined : await policyOf(backend, small('score'), { objectives })
    const reference = await policy.reference()
    try {
      if (from) {
        await policy.restore({ snapshot: from.policy })
        if (critic && from.critic) await critic.restore({ snapshot: from.critic })
        trainer.restore(from.trainer)
      }
      const { context } = contextOf(trainer, {
        ...{ policy, reference, ...(critic && { critic }), reward: shareOfFive, cacheFolder: '' },
        ...{ estimator: gaeEstimator(gaeOptions.parse({})), train: prompts, evaluation: prompts },
        ...{ totalSteps, seed: 1, ...(from && { from }) },
      })
      const reports = await drive(trainer, context, most)
      const step = (from?.step ?? 0) + reports.length
      const checkpoint: Checkpoint = {
        ...{ policy: await policy.snapshot(), critic: await critic?.snapshot() },
        ...{ trainer: trainer.state(), step, consumed: 4 * step },
      }
      return { reports, checkpoint, measured: await trainer.evaluate?.(context) }
    } finally {
      await reference.close()
      await critic?.close()
      await policy.close()
    }
  }

  test.each(['separate', 'shared'])(
    'ratios are 1 on fresh samples, at a temperature too, with a %s critic',
    async (critic) => {
      const backend = await create()
      try {
        const { reports } = await run(backend, { temperature: 0.7, numPpoEpochs: 1, critic }, 3)
        for (const { metrics } of reports) {
          expect(metrics['policy/clipfrac_avg']).toBe(0)
          expect(Math.abs(metrics['val/ratio'] - 1)).toBeLessThan(1e-5)
          expect(metrics['policy/approxkl_avg']).toBeLessThan(1e-9)
          // Whitened advantages have mean 0.
          expect(Math.abs(metrics['loss/policy_avg'])).toBeLessThan(1e-5)
          expect(metrics.grad_norm).toBeGreaterThan(1e-3)
        }
      } finally {
        await backend.close()
      }
    },
  )

  test('goes on after a stop in the same bits, the critic too', async () => {
    const backend = await create()
    try {
      const options = { numMiniBatches: 2, klTarget: 0.5, klHorizon: 100 }
      const whole = await run(backend, options, 4)
      const begun = await run(backend, options, 4, 2)
      const rest = await run(backend, options, 4, undefined, begun.checkpoint)
      expect([...begun.reports, ...rest.reports]).toEqual(whole.reports)
      expect(rest.checkpoint).toEqual(whole.checkpoint)
    } finally {
      await backend.close()
    }
  })

  test.each(['separate', 'shared'])('the reward rises and the value loss falls with a %s critic', async (critic) => {
    const backend = await create()
    try {
      const { reports, measured } = await run(backend, { learningRate: 0.02, critic }, 25)
      const of = (name: string) => reports.map(({ metrics }) => metrics[name])
      const mean = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0) / some.length
      const rise = (name: string) => mean(of(name).slice(-5)) - mean(of(name).slice(0, 5))
      expect(rise('reward')).toBeGreaterThan(0.2)
      expect(rise('loss/value_avg')).toBeLessThan(0)
      expect(measured?.eval_kl.value).toBeGreaterThan(0)
    } finally {
      await backend.close()
    }
  })

  test('a policy without values is refused where the critic is to be shared', async () => {
    const backend = await create()
    try {
      const trainer = ppoTrainer(ppoOptions.parse({ critic: 'shared' }))
      const policy = await policyOf(backend, small('language'), {})
      const { context } = contextOf(trainer, {
        ...{ policy, reference: policy, reward: shareOfFive, estimator: gaeEstimator(gaeOptions.parse({})) },
        ...{ train: prompts, totalSteps: 1, seed: 1, cacheFolder: '' },
      })
      await expect(drive(trainer, context)).rejects.toMatchObject({
        code: 'COLLIMATE_OUTPUT_MISSING',
        hint: expect.stringContaining('language+score'),
      })
      await policy.close()
    } finally {
      await backend.close()
    }
  })
})

interface Checkpoint {
  readonly policy: ModelSnapshot
  readonly critic?: ModelSnapshot | undefined
  readonly trainer: unknown
  readonly step: number
  readonly consumed: number
}

const small = (head: ModelHead) => createModel({ config: smallConfigs.llama, seed: 7, head })

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
