import type { ForestBatch, StepReport, TrainerContext, UpdateRequest } from '@collimate/core'
import { describe, expect, it } from 'vitest'
import { ppoOptions } from './options.js'
import { fakeModel, settingOf, valueAt } from './testing.js'
import { ppoTrainer } from './trainer.js'

const trainerOf = (options: object = {}) =>
  ppoTrainer(ppoOptions.parse({ batchSize: 3, loggingSteps: 1, maxNewTokens: 3, numPpoEpochs: 2, ...options }))

async function collect(steps: AsyncGenerator<StepReport>): Promise<StepReport[]> {
  const reports: StepReport[] = []
  for await (const report of steps) reports.push(report)
  return reports
}

/** Runs the trainer and gives the setting with its reports. */
async function run(options: object = {}, parts: Partial<TrainerContext> = {}, policy = {}) {
  const setting = settingOf(parts, policy)
  return { ...setting, reports: await collect(trainerOf(options).steps(setting.context)) }
}

const code = (expected: string) => expect.objectContaining({ code: expected }) as Error

/** An input of an update by the prompt's token and the position that it is of: however it is laid out. */
function tokensOf({ batches }: UpdateRequest, name: string): Record<string, number> {
  const found = ({ inputs, sources, positions, segments, prompts, tokens, tokenMask, width }: ForestBatch) =>
    Array.from(sources.keys()).flatMap((t) => {
      if (tokenMask[t] === 0) return []
      const row = Math.floor(sources[t] / width) * width
      const first = segments.slice(row, row + width).indexOf(prompts[sources[t]])
      return [[`${tokens[row + first]} at ${positions[sources[t]] + 1}`, inputs[name][t]] as const]
    })
  return Object.fromEntries(batches.flatMap(found))
}

describe('a step', () => {
  it('asks the estimator with score − β KL per token and the values of the states before the tokens', async () => {
    const { estimated } = await run({ beta: 0.2 })
    const [{ step, request }] = estimated
    expect(step).toBe(1)
    // Completions of 1, 2 and 3 tokens; log π − log π_ref is ½; the score is the length and comes with the last token.
    expect(request).toMatchObject({ rows: 3, width: 3, groupSize: 1 })
    expect([...request.mask]).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 1])
    const expected = [1 - 0.1, 0, 0, -0.1, 2 - 0.1, 0, -0.1, -0.1, 3 - 0.1]
    expected.forEach((reward, slot) => expect(request.rewards[slot]).toBeCloseTo(reward, 12))
    // Prompts of 1, 2 and 1 tokens.
    expect([...(request.values ?? [])]).toEqual([1, 0, 0, 2, 3, 0, 1, 2, 3].map((at) => at && valueAt(at)))
    expect(request.finalValues).toBeUndefined()
  })

  it('makes every pass with the same old log-probs, old values, advantages and returns', async () => {
    const { policy, critic } = await run({ numPpoEpochs: 3 }, { totalSteps: 1 })
    expect(policy.updates).toHaveLength(3)
    expect(critic.updates).toHaveLength(3)
    for (const name of ['oldLogProbs', 'advantages', 'oldValues', 'returns']) {
      const first = tokensOf(policy.updates[0], name)
      for (const { updates } of [policy, critic])
        for (const update of updates) expect(tokensOf(update, name)).toEqual(first)
    }
    expect(tokensOf(policy.updates[0], 'oldLogProbs')).toEqual({
      ...{ '10 at 1': -0.5, '11 at 2': -0.5, '11 at 3': -0.5 },
      ...{ '12 at 1': -0.5, '12 at 2': -0.5, '12 at 3': -0.5 },
    })
    expect(tokensOf(critic.updates[0], 'oldValues')['12 at 3']).toBeCloseTo(valueAt(3), 12)
    expect(tokensOf(critic.updates[0], 'returns')['12 at 3']).toBeCloseTo(3 - 0.05 / 2, 12)
  })

  it('takes each prompt once in each pass, in mini-batches of another order each time', async () => {
    const { policy } = await run({ batchSize: 6, numMiniBatches: 2, numPpoEpochs: 4 }, { totalSteps: 1 })
    expect(policy.updates).toHaveLength(8)
    const passes = Array.from({ length: 4 }, (_, pass) =>
      policy.updates.slice(2 * pass, 2 * pass + 2).map((update) => Object.keys(tokensOf(update, 'advantages'))),
    )
    for (const pass of passes) expect(new Set(pass.flat()).size).toBe(1 + 2 + 3 + 1 + 2 + 3)
    expect(
      new Set(
        passes.map((pass) =>
          pass
            .map((names) => names.toSorted().join())
            .toSorted()
            .join('|'),
        ),
      ).size,
    ).toBeGreaterThan(1)
  })

  it('learns at the sampling temperature, policy and critic each at its rate', async () => {
    const { policy, critic } = await run({ learningRate: 1e-3, temperature: 0.6, weightDecay: 0.1 })
    expect(policy.updates[0]).toMatchObject({ learningRate: 1e-3, temperature: 0.6, maxGradNorm: 1 })
    expect(policy.updates[0].objective).toEqual({
      use: 'ppo',
      options: { critic: 'separate', cliprange: 0.2, entropyCoef: 0, cliprangeValue: 0.2, vfCoef: 0.1 },
    })
    expect(critic.updates[0]).toMatchObject({ learningRate: 1e-2, optimizer: { weightDecay: 0.1 } })
    expect(critic.updates[0].objective).toEqual({ use: 'value', options: { cliprangeValue: 0.2, vfCoef: 0.1 } })
    // Linear from the first of two steps.
    expect(critic.updates.at(-1)?.learningRate).toBeCloseTo(5e-3, 12)
    const given = await run({ criticLearningRate: 2e-5 })
    expect(given.critic.updates[0].learningRate).toBe(2e-5)
  })

  it('shares a trunk where asked: one model gives values, and one update learns both', async () => {
    const { policy, critic, estimated, reports } = await run(
      { critic: 'shared' },
      {},
      { outputs: ['logProbs', 'entropy', 'values', 'scores'] },
    )
    expect(critic.updates).toHaveLength(0)
    expect(critic.asked).toHaveLength(0)
    expect(policy.updates[0].objective.options).toMatchObject({ critic: 'shared' })
    expect(estimated[0].request.values?.[8]).toBeCloseTo(valueAt(3), 12)
    expect(reports[0].metrics).not.toHaveProperty('critic/grad_norm')
  })

  it('learns nothing from what is masked, and makes no update where nothing is left', async () => {
    const truncated = { maskTruncatedCompletions: true }
    const { estimated, policy } = await run(truncated, { totalSteps: 1 })
    expect([...estimated[0].request.mask]).toEqual([1, 0, 0, 1, 1, 0, 0, 0, 0])
    expect(Object.keys(tokensOf(policy.updates[0], 'advantages'))).toEqual(['11 at 2', '11 at 3', '10 at 1'])
    const always = fakeModel()
    const { generate } = always.model
    always.model.generate = async (request) => ({
      ...(await generate(request)),
      endedBy: request.prompts.map(() => 'length'),
    })
    const none = await run(truncated, { policy: always.model, totalSteps: 1 })
    expect(always.updates).toHaveLength(0)
    expect(none.reports[0].metrics).toMatchObject({
      'completions/clipped_ratio': 1,
      reward: 2,
      'val/num_eos_tokens': 0,
    })
    for (const value of Object.values(none.reports[0].metrics)) expect(Number.isFinite(value)).toBe(true)
  })

  it('scales the rewards of the tokens where asked, and keeps their mean', async () => {
    const plain = (await run({}, { totalSteps: 1 })).estimated[0].request
    const white = (await run({ whitenRewards: true }, { totalSteps: 1 })).estimated[0].request
    const real = ({ rewards, mask }: typeof plain) => Array.from(rewards).filter((_, slot) => mask[slot] === 1)
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    const spread = (values: number[]) => Math.sqrt((mean(values.map((v) => (v - mean(values)) ** 2)) * 6) / 5)
    expect(mean(real(white))).toBeCloseTo(mean(real(plain)), 9)
    expect(spread(real(white))).toBeCloseTo(1, 6)
    expect(white.rewards[1]).toBe(0)
  })

  it('bootstraps completions that were cut where asked: V of where they were cut in place of their score', async () => {
    const { estimated } = await run({ bootstrapTruncated: true }, { totalSteps: 1 })
    const { rewards, finalValues } = estimated[0].request
    expect([...(finalValues ?? [])]).toEqual([0, 0, valueAt(4)])
    expect(rewards[8]).toBeCloseTo(-0.05 / 2, 12)
    expect(rewards[4]).toBeCloseTo(2 - 0.05 / 2, 12)
  })

  it('keeps the rewards of tokens that were earned before the cut', async () => {
    const reward: TrainerContext['reward'] = {
      score: async ({ rollouts }) => ({
        granularity: 'token',
        scores: rollouts.map(({ completion }) => new Float64Array(completion.ids.length).fill(1)),
      }),
      close: async () => undefined,
    }
    const { estimated } = await run({ bootstrapTruncated: true, beta: 0 }, { totalSteps: 1, reward })
    expect([...estimated[0].request.rewards.slice(6)]).toEqual([1, 1, 1])
  })

  it('lets the critic learn first where asked', async () => {
    const { policy, critic, reports } = await run({ criticWarmupSteps: 1 })
    expect(policy.updates).toHaveLength(2)
    expect(critic.updates).toHaveLength(4)
    expect(reports[0].metrics).not.toHaveProperty('grad_norm')
    expect(reports[1].metrics).toHaveProperty('grad_norm')
  })
})

describe('limits', () => {
  const approxKl = (values: readonly number[]) => ({
    metrics: (update: number) => ({ 'policy/approxkl_avg': values[update] ?? 0 }),
  })

  it('end the passes of a step after the one whose approximate KL is above targetKl', async () => {
    const options = { numPpoEpochs: 4, targetKl: 0.1, loggingSteps: 5 }
    const { policy, critic, reports } = await run(options, { totalSteps: 1 }, approxKl([0.05, 0.15, 0.2]))
    expect(policy.updates).toHaveLength(2)
    expect(critic.updates).toHaveLength(2)
    expect(policy.updates.every(({ metrics }) => metrics)).toBe(true)
    expect(reports[0].metrics['val/num_ppo_epochs']).toBe(2)
    expect((await run(options, { totalSteps: 1 }, approxKl([0.09, 0.09, 0.09, 0.09]))).policy.updates).toHaveLength(4)
  })

  it.each([
    ['policy', { loss: () => -2e6 }, {}],
    ['value', {}, { loss: () => 2e6 }],
  ])('stop a run whose %s loss is beyond maxLoss', async (what, policyOptions, criticOptions) => {
    const critic = fakeModel({ outputs: ['values', 'scores'], ...criticOptions })
    await expect(run({}, { critic: critic.model }, policyOptions)).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_DIVERGED', message: expect.stringContaining(`${what} loss`) }),
    )
  })

  it('stop a run that is further from its reference than maxKl', async () => {
    await expect(run({ maxKl: 0.5 })).rejects.toThrow(code('COLLIMATE_DIVERGED'))
  })

  it('steer β towards klTarget', async () => {
    // The KL of the completions of 1, 2 and 3 tokens is 1 on average: β grows where less is wanted.
    const beta = async (klTarget: number) => {
      const { estimated, reports } = await run({ beta: 0.1, klTarget, klHorizon: 30 })
      const [first, second] = estimated.map(({ request }) => request.rewards[6] / -0.5)
      expect(reports.map(({ metrics }) => metrics['objective/kl_coef'])).toEqual([
        expect.closeTo(first, 12),
        expect.closeTo(second, 12),
      ])
      return [first, second]
    }
    expect(await beta(0.5)).toEqual([expect.closeTo(0.1, 12), expect.closeTo(0.1 * (1 + (0.2 * 3) / 30), 12)])
    expect(await beta(1)).toEqual([expect.closeTo(0.1, 12), expect.closeTo(0.1, 12)])
    expect(await beta(2)).toEqual([expect.closeTo(0.1, 12), expect.closeTo(0.1 * (1 - (0.2 * 3) / 30), 12)])
  })
})

describe('the log', () => {
  it('has TRL’s names, of real tokens alone', async () => {
    const metrics = (update: number) => ({ 'val/ratio': 1 + update, 'val/squared_ratio': (1 + update) ** 2 })
    const { reports } = await run({ beta: 0.2 }, { totalSteps: 1 }, { metrics })
    const [{ step, tokens, metrics: found }] = reports
    expect({ step, tokens }).toEqual({ step: 1, tokens: 1 + 2 + 1 + 1 + 2 + 3 })
    const expected = {
      ...{ 'objective/kl': 1, 'objective/entropy': 1, 'objective/scores': 2, 'objective/non_score_reward': -0.2 },
      ...{ 'objective/rlhf_reward': 1.8, reward: 2, reward_std: 1, 'val/num_eos_tokens': 2 },
      ...{ 'completions/mean_length': 2, 'completions/clipped_ratio': 1 / 3 },
      // Two updates: ratios 1 and 2 on as many tokens each.
      ...{ 'val/ratio': 1.5, 'val/ratio_var': 0.25, grad_norm: 1.5, 'critic/grad_norm': 1.5, 'loss/value_avg': 3 },
      ...{ learning_rate: 3e-6, 'critic/learning_rate': 3e-5, num_tokens: 10, episode: 3, epoch: 0.5 },
    }
    for (const [name, value] of Object.entries(expected)) expect(found[name], name).toBeCloseTo(value, 9)
    expect(found).not.toHaveProperty('val/squared_ratio')
    // Returns of the fake estimator are the rewards: −0.1 before the last token of a completion, its length − 0.1 at it.
    const returns = [0.9, -0.1, 1.9, -0.1, -0.1, 2.9]
    const left = [0.9 - 0.1, -0.1 - 0.2, 1.9 - 0.3, -0.1 - 0.1, -0.1 - 0.2, 2.9 - 0.3]
    const variance = (v: number[]) => v.reduce((a, b) => a + b * b, 0) / 6 - (v.reduce((a, b) => a + b, 0) / 6) ** 2
    expect(found['val/explained_variance']).toBeCloseTo(1 - variance(left) / variance(returns), 9)
  })

  it('is empty on steps that are not logged, whose metrics are not computed', async () => {
    const { reports, policy } = await run({ batchSize: 2, loggingSteps: 3 }, { totalSteps: 3 })
    expect(reports.map(({ metrics }) => Object.keys(metrics).length > 0)).toEqual([true, false, true])
    expect(policy.updates.map(({ metrics }) => metrics)).toEqual([true, true, false, false, true, true])
  })

  it('measures reward and KL of held-out prompts', async () => {
    const { context } = settingOf()
    const measured = (await trainerOf({ evalPrompts: 3 }).evaluate?.(context)) ?? {}
    expect(measured.eval_reward).toMatchObject({ value: 2, count: 3 })
    expect(measured.eval_kl).toMatchObject({ value: 1, count: 3 })
  })
})

it('goes on after a stop as if it had not stopped', async () => {
  const options = { batchSize: 2, klTarget: 0.5, numMiniBatches: 2 }
  const whole = await run(options, { totalSteps: 3 })
  const { context } = settingOf({ totalSteps: 3 })
  const stopped = trainerOf(options)
  const begun: StepReport[] = []
  for await (const report of stopped.steps(context)) if (begun.push(report) === 1) break
  const resumed = trainerOf(options)
  resumed.restore(JSON.parse(JSON.stringify(stopped.state())))
  const rest = await collect(resumed.steps({ ...context, startStep: 1 }))
  // The fakes count updates, which the resumed run goes on with: grad_norm is theirs.
  expect([...begun, ...rest]).toEqual(whole.reports)
})

describe('what is missing is said before anything is sampled', () => {
  it.each<[string, Partial<TrainerContext>, object, string]>([
    ['a critic', { critic: undefined }, {}, 'COLLIMATE_TRAINER_INCOMPLETE'],
    ['an estimator', { estimator: undefined }, {}, 'COLLIMATE_TRAINER_INCOMPLETE'],
    ['a critic with values', { critic: fakeModel().model }, {}, 'COLLIMATE_OUTPUT_MISSING'],
    ['a policy with values', {}, { critic: 'shared' }, 'COLLIMATE_OUTPUT_MISSING'],
    [
      'a critic of the same vocabulary',
      { critic: fakeModel({ outputs: ['values'], vocabularySize: 7 }).model },
      {},
      'COLLIMATE_CRITIC_MISMATCH',
    ],
  ])('%s', async (_, parts, options, expected) => {
    const setting = settingOf(parts)
    const sampled: number[] = []
    setting.context.bus.on('rollout.sampled', ({ step }) => sampled.push(step))
    await expect(collect(trainerOf(options).steps(setting.context))).rejects.toThrow(code(expected))
    expect(sampled).toEqual([])
  })
})

describe('options', () => {
  it('plan prompts with all that PPO needs, by TRL’s defaults', () => {
    expect(ppoTrainer(ppoOptions.parse({})).plan).toEqual({
      ...{ dataset: 'prompt-only', data: { maxLength: null, truncation: 'keep_end' }, batchSize: 8, shuffle: true },
      requires: { reference: true, reward: true, estimator: true, critic: true },
      ...{ length: { epochs: 3 }, guarded: true },
    })
    expect(ppoTrainer(ppoOptions.parse({ critic: 'shared' })).plan.requires.critic).toBe(false)
    expect(ppoOptions.parse({})).toMatchObject({
      ...{ learningRate: 3e-6, beta: 0.05, klEstimator: 'k1', cliprange: 0.2, cliprangeValue: 0.2, vfCoef: 0.1 },
      ...{ numPpoEpochs: 4, numMiniBatches: 1, whitenRewards: false, temperature: 0.7, numGenerations: 1 },
    })
  })

  it.each([
    [{ critic: 'shared', criticLearningRate: 1 }, 'criticLearningRate'],
    [{ critic: 'shared', criticWarmupSteps: 1 }, 'criticWarmupSteps'],
    [{ klHorizon: 10 }, 'klHorizon'],
    [{ klTarget: 1, beta: 0 }, 'klTarget'],
    [{ numMiniBatches: 4 }, 'numMiniBatches'],
    [{ bootstrapTruncated: true, missingEosPenalty: 1 }, 'missingEosPenalty'],
    [{ bootstrapTruncated: true, maskTruncatedCompletions: true }, 'maskTruncatedCompletions'],
    [{ steps: 1, epochs: 1 }, 'steps'],
  ])('that exclude each other are refused: %j', (options, named) => {
    expect(() => trainerOf(options)).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT', message: expect.stringContaining(named) }),
    )
  })
})
