import type { CollimateEvents, Estimator, Policy, RewardSource, StepReport, UpdateRequest } from '@collimate/core'
import {
  baselineEstimator,
  checkLaw,
  contextOf,
  drive,
  lawsOfTrainer,
  makeWorld,
  promptExamples,
  rewardOf,
  tabularPolicy,
  type World,
} from '@collimate/laws'
import { describe, expect, it } from 'vitest'
import { reinforceLossOptions } from './loss-options.js'
import { reinforceObjective } from './objective.js'
import { reinforceOptions } from './options.js'
import { reinforceTrainer } from './trainer.js'

/** Two prompts, completions of one to three tokens; the reward likes letters. */
const world: World = makeWorld({
  ...{ letters: 1, maxLength: 3, beta: 0.1 },
  rewards: [
    [0, 1, 2, 3],
    [1, 0, 2, 1],
  ],
})

interface Parts {
  readonly estimator?: Estimator
  readonly reward?: RewardSource
  readonly totalSteps?: number
  readonly from?: { readonly step: number; readonly consumed: number }
  readonly policy?: Policy
}

const objective = ({ options }: { options: Readonly<Record<string, unknown>> }) =>
  reinforceObjective(reinforceLossOptions.parse(options))

/** A run in the world: its trainer, context, updates and what the estimator was asked. */
async function setting(options: object = {}, parts: Parts = {}) {
  const trainer = reinforceTrainer(
    reinforceOptions.parse({ ...{ batchSize: 4, maxNewTokens: 3, learningRate: 0.1, loggingSteps: 1 }, ...options }),
  )
  const policy = parts.policy ?? tabularPolicy(world, { objective })
  const updates: UpdateRequest[] = []
  const watched: Policy = { ...policy, update: (request) => (updates.push(request), policy.update(request)) }
  const rows = promptExamples(world, 4)
  const { context } = contextOf(trainer, {
    ...{ policy: watched, reference: await tabularPolicy(world).reference(), train: rows, evaluation: rows, seed: 1 },
    ...{ totalSteps: parts.totalSteps ?? 2, cacheFolder: '', ...(parts.from && { from: parts.from }) },
    ...{ reward: parts.reward ?? rewardOf(world), estimator: parts.estimator ?? baselineEstimator('leave-one-out') },
  })
  const estimated: CollimateEvents['advantages.estimated'][] = []
  context.bus.on('advantages.estimated', (event) => estimated.push(event))
  return { trainer, policy, context, updates, estimated, run: () => drive(trainer, context) }
}

const units = ({ batches }: UpdateRequest) => batches.reduce((sum, { sequenceCount }) => sum + sequenceCount, 0)

describe('a step', () => {
  it('asks the estimator of groups, with the KL penalty in the reward', async () => {
    const { run, estimated } = await setting({ numGenerations: 3, beta: 0.5 })
    await run()
    const [, { request, step }] = estimated
    expect([step, request.rows, request.groupSize]).toEqual([2, 12, 3])
    for (let row = 0; row < request.rows; row++) {
      const slots = Array.from({ length: request.width }, (_, k) => row * request.width + k)
      const real = slots.filter((slot) => request.mask[slot] === 1)
      // All but the last token have the penalty alone.
      for (const slot of real.slice(0, -1))
        expect(request.rewards[slot]).toBeCloseTo(-0.5 * (request.logProbs[slot] - request.refLogProbs![slot]), 12)
    }
  })

  it('makes numIterations passes of numMiniBatches updates, groups whole, in an order of its own', async () => {
    const { run, updates } = await setting({ numIterations: 2, numMiniBatches: 3, numGenerations: 2, temperature: 0.5 })
    await run()
    expect(updates).toHaveLength(2 * 2 * 2)
    expect(updates.map(units)).toEqual(new Array(8).fill(4))
    expect(updates.every(({ temperature }) => temperature === 0.5)).toBe(true)
    const prompts = ({ batches: [{ tokens }] }: UpdateRequest) => Array.from(tokens).join()
    expect(new Set(updates.map(prompts)).size).toBeGreaterThan(1)
  })

  it('logs in TRL’s names', async () => {
    const { run } = await setting({ numIterations: 2, learningRate: 0.5 })
    const [first, second] = await run()
    expect(Object.keys(first.metrics).sort()).toEqual(
      [
        ...['loss', 'entropy', 'grad_norm', 'learning_rate', 'num_tokens', 'epoch', 'reward', 'reward_std'],
        ...['frac_reward_zero_std', 'kl', 'objective/kl', 'clip_ratio/low_mean', 'clip_ratio/low_min'],
        ...['clip_ratio/high_mean', 'clip_ratio/high_max', 'clip_ratio/region_mean', 'completions/clipped_ratio'],
        ...['mean', 'min', 'max'].flatMap((which) => [
          `completions/${which}_length`,
          `completions/${which}_terminated_length`,
        ]),
      ].sort(),
    )
    expect(first.metrics.kl).toBeCloseTo(0, 6)
    expect(first.metrics.epoch).toBe(0.5)
    expect(second.metrics['clip_ratio/region_mean']).toBeGreaterThan(0)
    expect(second.metrics['clip_ratio/high_max']).toBeGreaterThanOrEqual(second.metrics['clip_ratio/high_mean'])
    expect(second.metrics.num_tokens).toBe(first.tokens + second.tokens)
  })

  it('of completions that are masked whole learns nothing, changes nothing, and says so', async () => {
    // Never an end: every completion is cut.
    const endless = tabularPolicy(
      { ...world, reference: world.reference.map((row) => row.map((_, y) => (y === 3 ? 0 : -60))) },
      { objective },
    )
    const { run, policy } = await setting({ maskTruncatedCompletions: true, numIterations: 2 }, { policy: endless })
    const reports = await run()
    expect(reports.map(({ metrics }) => metrics.skipped_updates)).toEqual([2, 2])
    expect(reports[0].metrics).not.toHaveProperty('loss')
    expect(reports[0].metrics['completions/clipped_ratio']).toBe(1)
    expect((await policy.snapshot()).optimizerSteps).toBe(0)
  })

  it('of equal rewards goes on: there is nothing to choose, and the gradient is 0', async () => {
    const equal: RewardSource = {
      score: async ({ rollouts }) => ({ granularity: 'sequence', scores: rollouts.map(() => Float64Array.of(7)) }),
      close: async () => undefined,
    }
    for (const baseline of ['leave-one-out', 'group-std', 'batch-std'] as const) {
      const { run } = await setting({ beta: 0 }, { reward: equal, estimator: baselineEstimator(baseline) })
      const reports = await run()
      expect(reports.map(({ metrics }) => [metrics.grad_norm, metrics.frac_reward_zero_std])).toEqual([
        [0, 1],
        [0, 1],
      ])
    }
  })

  it('takes a completion for one action only where its tokens have one advantage', async () => {
    const perToken: Estimator = {
      estimate: async ({ rewards, mask }) => ({
        advantages: rewards.map((_, slot) => (mask[slot] === 0 ? 0 : slot)),
        returns: rewards,
      }),
    }
    const { run } = await setting({}, { estimator: perToken })
    await expect(run()).rejects.toMatchObject({ code: 'COLLIMATE_ESTIMATE_INVALID' })
    const { run: byTokens } = await setting({ importanceSamplingLevel: 'token' }, { estimator: perToken })
    expect(await byTokens()).toHaveLength(2)
  })

  it('remembers the mean of earlier rewards, of what is learnt from alone', async () => {
    const { run, trainer, estimated } = await setting({ baselineDecay: 0.75 }, { totalSteps: 3 })
    await run()
    const means = estimated.map(({ request: { rewards, rows } }) => rewards.reduce((sum, r) => sum + r, 0) / rows)
    const [, second, third] = estimated.map(({ request }) => request.meanReward as number)
    expect(second).toBeCloseTo(means[0], 12)
    expect(third).toBeCloseTo(0.75 * means[0] + 0.25 * means[1], 12)
    expect((trainer.state() as { meanReward: number }).meanReward).toBeCloseTo(0.75 * third + 0.25 * means[2], 12)
  })

  it('steers β towards klTarget', async () => {
    const [klTarget, klHorizon] = [0.01, 40]
    const { run, trainer } = await setting({ klTarget, klHorizon, learningRate: 0.5, beta: 0.1 }, { totalSteps: 4 })
    const reports = await run()
    const betas = [...reports.map(({ metrics }) => metrics.beta), (trainer.state() as { beta: number }).beta]
    reports.forEach(({ metrics }, at) => {
      const error = Math.min(0.2, Math.max(-0.2, metrics['objective/kl'] / klTarget - 1))
      expect(betas[at + 1]).toBeCloseTo(betas[at] * (1 + (error * 8) / klHorizon), 12)
    })
    expect(betas[1]).toBeLessThan(betas[0])
    expect(Math.max(...betas.slice(2))).toBeGreaterThan(betas[1])
  })

  it('stops where the policy has left its reference', async () => {
    const { run } = await setting({ maxKl: 0.01, learningRate: 1 }, { totalSteps: 5 })
    await expect(run()).rejects.toMatchObject({ code: 'COLLIMATE_DIVERGED' })
  })

  it('goes on after a stop as if there had been none, with another baseline, an adaptive β and several updates', async () => {
    const options = { numIterations: 2, numMiniBatches: 2, klTarget: 0.1, klHorizon: 50 }
    const parts = { estimator: baselineEstimator('moving-average'), totalSteps: 4 }
    const whole = await setting(options, parts)
    const reports = await whole.run()
    const begun = await setting(options, parts)
    const before = await drive(begun.trainer, begun.context, 2)
    const rest = await setting(options, { ...parts, policy: begun.policy, from: { step: 2, consumed: 8 } })
    rest.trainer.restore(JSON.parse(JSON.stringify(begun.trainer.state())))
    expect([...before, ...(await rest.run())]).toEqual(reports satisfies StepReport[])
    expect(rest.trainer.state()).toEqual(whole.trainer.state())
  })

  it('needs an estimator, a reference and a reward', async () => {
    const { trainer, context } = await setting()
    for (const missing of ['estimator', 'reference', 'reward'] as const)
      await expect(drive(trainer, { ...context, [missing]: undefined })).rejects.toMatchObject({
        code: 'COLLIMATE_TRAINER_INCOMPLETE',
      })
  })
})

describe('evaluate', () => {
  it('answers held-out prompts, each once, and measures reward and KL with intervals', async () => {
    const { trainer, context, run } = await setting()
    await run()
    const measured = (await trainer.evaluate?.(context)) ?? {}
    expect(Object.keys(measured)).toEqual(expect.arrayContaining(['eval_reward', 'eval_kl']))
    expect(measured.eval_reward.count).toBe(2)
    expect(await trainer.evaluate?.(context)).toEqual(measured)
  })
})

describe('the KL in the loss', () => {
  it('of every token by itself is not the KL of the completion: a step is not along ∇J', async () => {
    const { laws } = lawsOfTrainer({
      name: 'reinforce',
      create: (given) =>
        reinforceTrainer(reinforceOptions.parse({ ...given, klIn: 'loss', importanceSamplingLevel: 'token' })),
      objectives: objective,
      estimator: () => baselineEstimator('leave-one-out'),
      claims: { optimum: 'reward', policyGradient: true },
    })
    const climb = laws.find(({ name }) => name === 'reinforce/expected-step')
    expect((await checkLaw(climb!, { runs: 120, seed: 1 })).status).toBe('fails')
  })
})

describe('options', () => {
  it('have the defaults of TRL’s RLOO', () => {
    expect(reinforceOptions.parse({})).toMatchObject({
      ...{ beta: 0.05, klIn: 'reward', lossType: 'rloo', importanceSamplingLevel: 'sequence', cliprange: 0.2 },
      ...{ numGenerations: 2, numIterations: 1, temperature: 1, learningRate: 1e-6 },
    })
    expect(reinforceTrainer(reinforceOptions.parse({})).plan).toMatchObject({
      dataset: 'prompt-only',
      requires: { reference: true, reward: true, estimator: true },
      guarded: true,
    })
  })

  it.each([
    [{ klEstimator: 'k3' }, 'klEstimator'],
    [{ klIn: 'loss', klEstimator: 'k1' }, 'klEstimator'],
    [{ klRatio: true }, 'klRatio'],
    [{ klIn: 'loss', beta: 0, klRatio: true }, 'klRatio'],
    [{ klHorizon: 10 }, 'klHorizon'],
    [{ klIn: 'loss', klTarget: 1 }, 'klTarget'],
    [{ batchSize: 2, numMiniBatches: 3 }, 'numMiniBatches'],
    [{ steps: 3, epochs: 1 }, 'steps'],
  ])('that nothing would read are refused: %j', (options, named) => {
    expect(() => reinforceTrainer(reinforceOptions.parse(options))).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT', message: expect.stringContaining(named) }),
    )
  })

  it.each([[{ cliprange: 1 }], [{ beta: -1 }], [{ baselineDecay: 1 }], [{ lossType: 'ppo' }], [{ gamma: 1 }]])(
    'refuse %j',
    (options) => expect(reinforceOptions.safeParse(options).success).toBe(false),
  )
})
