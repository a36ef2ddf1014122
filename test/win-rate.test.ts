import { createBus } from '@collimate/core'
import type { Example, Policy, RewardSource, TrainerContext } from '@collimate/core'
import { forestBatch, trainByteBpe } from '@collimate/data'
import { winRate } from '@collimate/evaluator-win-rate'
import { createModel } from '@collimate/models'
import { createPolicy } from '@collimate/policy-transformer'
import { sftObjective } from '@collimate/trainer-sft'
import { expect, it } from 'vitest'
import { withBackend } from './traces/setting.js'

const tokenizer = trainByteBpe(['where is my order'], { vocabularySize: 257 })
const letter = (text: string) => (tokenizer.tokenizer.model as { vocab: Record<string, number> }).vocab[text]

/** Likes the letter a. */
const reward: RewardSource = {
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map(({ completion }) => Float64Array.of(completion.text.split('a').length - 1)),
  }),
  close: async () => {},
}

const examples = Array.from({ length: 12 }, (_, index): Example => ({
  index,
  prompt: Int32Array.of(letter('w'), 1 + index),
  completions: [Int32Array.from({ length: 8 }, () => letter('a'))],
  text: { prompt: `prompt ${index}`, completions: ['aaaaaaaa'] },
  columns: {},
}))

it('win rate: one half before training, where both answers are the same; one after learning what the reward likes', async () => {
  await withBackend('interpreter', async (backend) => {
    const config = {
      model_type: 'llama',
      vocab_size: 257,
      hidden_size: 8,
      intermediate_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 32,
      eos_token_id: 0,
    }
    const files = createModel({ config, seed: 1, tokenizer })
    const options = { decodeBatchSize: 16, freezeDecoding: true, programMemory: 64 }
    const policy: Policy = await createPolicy({ backend, files, objective: async () => sftObjective, options } as never)
    const reference = await policy.reference()
    const context: TrainerContext = {
      bus: createBus(),
      policy,
      reference,
      reward,
      data: {
        trainLength: 0,
        trainFingerprint: '',
        evaluationLength: examples.length,
        evaluationFingerprint: '',
        next: async () => [],
        read: async (_, indices) => indices.map((index) => examples[index]),
      },
      totalSteps: 1,
      startStep: 0,
      seed: 5,
      cacheFolder: '',
      signal: new AbortController().signal,
    }
    const { definition } = winRate
    const evaluator = await definition.create(
      definition.options.parse({ maxNewTokens: 8 }) as never,
      { seed: 5 } as never,
    )

    const before = await evaluator.evaluate(context)
    expect(before.metrics.win_rate).toEqual({ value: 0.5, low: 0.5, high: 0.5, count: 12 })
    for (const { completions } of before.samples) expect(completions.policy).toEqual(completions.reference)

    for (let step = 0; step < 20; step++) {
      await policy.update({
        objective: { use: 'sft', options: {} },
        batches: [forestBatch(examples)],
        optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
        learningRate: 0.1,
        maxGradNorm: 1,
        metrics: false,
      })
    }
    const after = await evaluator.evaluate(context)
    expect(after.metrics.win_rate.value).toBe(1)
    expect(after.metrics['reward/difference'].low).toBeGreaterThan(5)
    expect(after.samples.map(({ completions }) => completions.reference)).toEqual(
      before.samples.map(({ completions }) => completions.reference),
    )
    await reference.close()
    await policy.close()
  })
})
