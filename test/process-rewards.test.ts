import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AdamWOptions,
  definePlugin,
  type Example,
  NO_LABEL,
  type Objective,
  standaloneContext,
  uniform,
} from '@collimate/core'
import { createTokenizer, prepareExamples, stepBatches, trainByteBpe } from '@collimate/data'
import { mul, softplus, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { openBackend } from '@collimate/laws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

/** Cross-entropy of the label of each step: softplus(v) − label · v. */
const stepLabels: Objective<Tensor> = {
  name: 'step-labels',
  outputs: ['values'],
  inputs: { label: 'tokens' },
  coupled: false,
  terms: (t) => [{ perUnit: sub(softplus(t.values), mul(t.inputs.label, t.values)), unit: 'tokens' }],
  metrics: () => ({}),
}
const objective = definePlugin({
  ...{ name: 'step-labels', version: '0.1.0', engine: '^0.1.0', kind: 'objective' },
  description: 'for this test',
  options: z.strictObject({}),
  create: () => stepLabels as Objective,
})
const optimizer: AdamWOptions = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }

/** A number of digits, each a step; a digit is right where it is even. */
const rowOf = (seed: number) => {
  const digits = Array.from({ length: 2 + (seed % 3) }, (_, at) => Math.floor(10 * uniform(11, seed, at)))
  return {
    prompt: `Count ${seed % 7}:\n`,
    completions: digits.map((digit) => `it is ${digit}`),
    labels: digits.map((digit) => digit % 2 === 0),
  }
}
const rows = Array.from({ length: 120 }, (_, seed) => rowOf(seed))
const files = trainByteBpe(['Count: it is it is it is'], { vocabularySize: 270 })
const labelsOf = ({ labels = [] }: Example) => labels.flatMap((own) => [...own].filter((label) => label !== NO_LABEL))

let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'collimate-prm-'))))
afterAll(() => rm(folder, { recursive: true }))

test('a process reward model is trained on stepwise data, saved, and tells right steps from wrong ones', async () => {
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(files.tokenizer))
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(files.config))
  const backend = await openBackend('onnx')
  const { context, close } = standaloneContext({ folder, seed: 1, backend, plugins: [objective] })
  const { examples } = await prepareExamples(
    rows.map((value, index) => ({ value, index, file: 'steps.jsonl', line: index + 1 })),
    { type: 'stepwise', tokenizer: files, maxLength: 64, truncation: 'keep_start' },
  )
  const config = {
    ...{ model_type: 'llama', vocab_size: 270, hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1 },
    ...{ num_attention_heads: 2, num_key_value_heads: 2, max_position_embeddings: 64 },
  }
  const model = await context.plugin('policy', {
    use: 'transformer',
    head: 'score',
    create: { config, tokenizer: folder },
  })
  const losses: number[] = []
  for (let step = 0; step < 60; step++) {
    const lot = Array.from({ length: 16 }, (_, at) => examples[(step * 16 + at) % 100])
    const { batches } = stepBatches(lot, { microBatchSize: 8, inputs: { label: labelsOf } })
    const request = { objective: { use: 'step-labels', options: {} }, batches, optimizer, metrics: false }
    losses.push((await model.update({ ...request, learningRate: 0.02, maxGradNorm: 1 })).loss)
  }
  expect(losses[0]).toBeGreaterThan(0.5)
  expect(losses.at(-1)).toBeLessThan(0.1)
  await model.save({ folder: join(folder, 'prm') })

  const source = await context.plugin('reward', { use: 'process', model: join(folder, 'prm'), tokenizer: folder })
  const tokenizer = createTokenizer(files)
  const coded = (text: string) => ({ ids: tokenizer.encode(text), text })
  const held = rows.slice(100)
  const { scores } = await source.score({
    rollouts: held.map(({ prompt, completions }) => ({
      prompt: coded(prompt),
      completion: coded(completions.map((step) => `${step}\n`).join('')),
      columns: {},
    })),
  })
  const said = scores.flatMap((own) => [...own].map((value) => value > 0))
  const labels = held.flatMap((row) => row.labels)
  expect(said).toHaveLength(labels.length)
  expect(said.filter((value, at) => value === labels[at]).length / labels.length).toBeGreaterThan(0.95)
  await close()
  await backend.close()
})
