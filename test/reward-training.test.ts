import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { experiment, fraction, NO_LABEL, parsePluginOptions, standaloneContext } from '@collimate/core'
import type { ExperimentConfig, Measurement, RewardSource, RunResult, Scorable, TokenizerFiles } from '@collimate/core'
import { chatTemplate, createTokenizer, prepareExamples, readRows, trainByteBpe } from '@collimate/data'
import { createModel, saveModel } from '@collimate/models'
import { bradleyTerry } from '@collimate/reward-bradley-terry'
import { processReward } from '@collimate/reward-process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backends } from './support/policies.js'
import { hasTransformers, transformersScores } from './support/transformers.js'

// Reward models from pairs in a file to scores of sampled completions.
const folder = mkdtempSync(join(tmpdir(), 'collimate-reward-training-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const questions = ['Is it here?', 'May I come?', 'Where is my order?', 'Can you help me?']
const good = ['Yes, gladly.', 'Yes, of course.', 'Yes, it is.']
const bad = ['No.', 'No, never.', 'Not today.']
const pick = (list: readonly string[], row: number, index: number) =>
  list[Math.floor(fraction(7, row, index) * list.length)]

/** A line break stands behind the end token of every turn, as in many templates. */
const template = `{%- for m in messages %}{{ '<s>' + m.role + '\\n' + m.content + '<|endoftext|>' + '\\n' }}{% endfor %}{%- if add_generation_prompt %}{{ '<s>assistant\\n' }}{% endif %}`
const { tokenizer: json, config } = trainByteBpe([...questions, ...good, ...bad, 'user\nassistant\n'], {
  vocabularySize: 320,
})
const files = { tokenizer: json, config: { ...config, chat_template: template } }
const tokenizer = createTokenizer(files)
const eos = tokenizer.eosToken?.id ?? -1

const pairs = Array.from({ length: 96 }, (_, row) => ({
  prompt: [{ role: 'user', content: pick(questions, row, 0) }],
  chosen: [{ role: 'assistant', content: pick(good, row, 1) }],
  rejected: [{ role: 'assistant', content: pick(bad, row, 2) }],
}))

function writeLines(name: string, rows: readonly unknown[]): string {
  const file = join(folder, name)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return file
}

/** A small language model that knows nothing yet. */
async function baseModel(name: string, ownFiles: TokenizerFiles = files): Promise<string> {
  const path = join(folder, name)
  const model = {
    ...{ model_type: 'llama', hidden_size: 32, intermediate_size: 48, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{
      num_key_value_heads: 2,
      vocab_size: createTokenizer(ownFiles).vocabularySize,
      max_position_embeddings: 128,
      tie_word_embeddings: true,
    },
    ...{ rms_norm_eps: 1e-5, initializer_range: 0.1, eos_token_id: eos },
  }
  mkdirSync(path, { recursive: true })
  await saveModel(path, createModel({ config: model, seed: 1, tokenizer: ownFiles }))
  return path
}

const run = (config: Omit<ExperimentConfig, 'backend' | 'trackers'>): Promise<RunResult> =>
  experiment({ backend: { use: 'onnx', threads: 1 }, trackers: [], ...config } as ExperimentConfig, { folder }).finished

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** What the policy would have sampled, had it said these answers: prompt ids, and ids that end with the end token. */
async function sampled(file: string, indices: readonly number[]): Promise<{ chosen: Scorable; rejected: Scorable }[]> {
  const rows = []
  for await (const row of readRows(file)) if (indices.includes(row.index)) rows.push(row)
  const request = { type: 'prompt-only', tokenizer: files, maxLength: null, truncation: 'keep_start' } as const
  const { examples } = await prepareExamples(rows, request)
  return examples.map(({ index, prompt, text }) => {
    const answer = (content: string): Scorable => ({
      prompt: { ids: prompt, text: text.prompt },
      completion: { ids: Int32Array.of(...tokenizer.encode(content), eos), text: content },
      columns: {},
      endedBy: 'stop',
    })
    return { chosen: answer(pairs[index].chosen[0].content), rejected: answer(pairs[index].rejected[0].content) }
  })
}

describe('a reward model that was trained on conversations', () => {
  let result: RunResult
  let data = ''
  let model = ''
  const measured = (name: string): Measurement => result.metrics[name]
  let source: RewardSource
  const closing: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const close of closing.reverse()) await close()
  })

  beforeAll(async () => {
    data = writeLines('pairs.jsonl', pairs)
    result = await run({
      name: 'reward',
      policy: { use: 'transformer', model: await baseModel('base'), head: 'score' },
      trainer: { use: 'reward', epochs: 6, learningRate: 5e-3, batchSize: 12, microBatchSize: 6 },
      data: { train: data, evaluate: writeLines('held.jsonl', pairs) },
    })
    model = result.modelFolder ?? ''
    const backend = await backends[1].create()
    const { context, close } = standaloneContext({ backend, folder })
    closing.push(() => backend.close(), close)
    const create = async (options: object) =>
      (await bradleyTerry.definition.create(parsePluginOptions(bradleyTerry, options), context)) as RewardSource
    source = await create({ model })
  })

  test('tells good answers from bad ones, and says how sure it is', () => {
    expect(measured('eval_accuracy').value).toBeGreaterThan(0.95)
    expect(measured('eval_loss').value).toBeLessThan(0.3)
    const events = readFileSync(join(result.folder, 'events.jsonl'), 'utf8').trim().split('\n')
    const plots = events.map((line) => JSON.parse(line)).filter(({ event }) => event === 'calibration.measured')
    expect(plots).toHaveLength(1)
    const { bins } = plots[0].payload
    const counts: number[] = bins.map(({ observed }: { observed: Measurement }) => observed.count)
    expect(counts.reduce((a, b) => a + b, 0)).toBe(96)
    expect(bins.at(-1)).toMatchObject({ from: 0.95, to: 1 })
  })

  test('is a sequence-classification model of one label, with its normalisation', () => {
    const saved = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))
    expect(saved).toMatchObject({
      architectures: ['LlamaForSequenceClassification'],
      id2label: { 0: 'LABEL_0' },
      collimate: {
        rewardMean: expect.closeTo(measured('eval_mean_reward').value, 5),
        rewardStd: expect.closeTo(measured('eval_reward_std').value, 5),
      },
    })
  })

  test('sees of a sampled completion what it saw in training, and scores it so', async () => {
    const rollouts = (await sampled(data, [...pairs.keys()])).flatMap(({ chosen, rejected }) => [chosen, rejected])
    // The template writes a line break behind the end token; a completion that is sampled ends with the token.
    const rendered = chatTemplate(template, tokenizer.specialTokens).render(
      [...pairs[0].prompt, ...pairs[0].chosen],
      {},
    )
    const whole = tokenizer.encode(rendered)
    expect([...rollouts[0].prompt.ids, ...rollouts[0].completion.ids]).toEqual([...whole.slice(0, -1)])
    const { scores } = await source.score({ rollouts })
    const all = scores.map(([score]) => score)
    const margins = pairs.map((_, i) => (all[2 * i] - all[2 * i + 1]) * measured('eval_reward_std').value)
    expect(mean(margins)).toBeCloseTo(measured('eval_margin').value, 4)
    expect(margins.filter((margin) => margin > 0).length / 96).toBe(measured('eval_accuracy').value)
    expect(mean(all)).toBeCloseTo(0, 5)
    expect(Math.sqrt(all.reduce((sum, score) => sum + score ** 2, 0) / (all.length - 1))).toBeCloseTo(1, 4)
  })

  test.skipIf(!hasTransformers)('has the same scores in transformers', async () => {
    const rollouts = (await sampled(data, [0, 1, 2, 3])).flatMap(({ chosen, rejected }) => [chosen, rejected])
    const theirs = transformersScores(
      model,
      rollouts.map(({ prompt, completion }) => [...prompt.ids, ...completion.ids]),
    )
    const { scores } = await source.score({ rollouts })
    const { rewardMean, rewardStd } = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')).collimate
    scores.forEach(([score], i) => expect(score * rewardStd + rewardMean).toBeCloseTo(theirs[i], 4))
  })

  test('scores in an experiment; a policy with other tokens is refused unless its text is tokenised anew', async () => {
    const other = trainByteBpe(['another corpus altogether', ...questions], { vocabularySize: 300 })
    const foreign = await baseModel('foreign', {
      tokenizer: other.tokenizer,
      config: { ...other.config, chat_template: template },
    })
    const of = (name: string, policy: string, options: object) =>
      run({
        name,
        policy: { use: 'transformer', model: policy },
        reward: { use: 'bradley-terry', model, ...options },
        trainer: { use: 'sft', steps: 1, batchSize: 2 },
        data: { train: data, evaluate: 4 },
        evaluators: [{ use: 'win-rate', maxNewTokens: 4, prompts: 4 }],
      })
    const same = await of('same', join(folder, 'base'), {})
    expect(Number.isFinite(same.metrics['reward/policy'].value)).toBe(true)
    await expect(of('refused', foreign, {})).rejects.toMatchObject({ code: 'COLLIMATE_REWARD_TOKENIZER_DIFFERS' })
    const anew = await of('anew', foreign, { retokenise: true })
    expect(Number.isFinite(anew.metrics['reward/policy'].value)).toBe(true)
  })

  test('a language model is refused as a reward model', async () => {
    const backend = await backends[1].create()
    const { context, close } = standaloneContext({ backend, folder })
    const options = parsePluginOptions(bradleyTerry, { model: join(folder, 'base') })
    await expect(Promise.resolve(bradleyTerry.definition.create(options, context))).rejects.toMatchObject({
      code: 'COLLIMATE_OUTPUT_MISSING',
    })
    await close()
    await backend.close()
  })
})

test('a process reward model learns which steps are right, and scores the steps of completions', async () => {
  const rows = Array.from({ length: 96 }, (_, row) => {
    const labels = [0, 1, 2].map((step) => fraction(9, row, step) < 0.5)
    const completions = labels.map((right, step) => pick(right ? good : bad, row, 3 + step))
    return { prompt: pick(questions, row, 0), completions, labels }
  })
  const data = writeLines('steps.jsonl', rows)
  const result = await run({
    name: 'process',
    policy: { use: 'transformer', model: await baseModel('base-process'), head: 'score' },
    trainer: { use: 'reward', supervision: 'process', epochs: 6, learningRate: 5e-3, batchSize: 12 },
    data: { train: data, evaluate: data },
  })
  expect(result.metrics.eval_accuracy.value).toBeGreaterThan(0.95)
  expect(result.metrics.eval_accuracy.count).toBe(3 * 96)
  const model = result.modelFolder ?? ''
  expect(JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')).collimate).toBeUndefined()

  const read = []
  for await (const row of readRows(data)) read.push(row)
  const request = { type: 'stepwise', tokenizer: files, maxLength: null, truncation: 'keep_start' } as const
  const { examples } = await prepareExamples(read, request)
  const rollouts = examples.map(({ prompt, completions: [ids], text }): Scorable => ({
    prompt: { ids: prompt, text: text.prompt },
    completion: { ids, text: text.completions[0] },
    columns: {},
  }))
  const backend = await backends[1].create()
  const { context, close } = standaloneContext({ backend, folder })
  try {
    const options = parsePluginOptions(processReward, { model, tokenizer: join(folder, 'base') })
    const source = (await processReward.definition.create(options, context)) as RewardSource
    const { granularity, scores } = await source.score({ rollouts })
    expect(granularity).toBe('step')
    const right = examples.map(({ labels = [] }, i) => {
      const truth = Array.from(labels[0]).filter((label) => label !== NO_LABEL)
      expect(scores[i]).toHaveLength(truth.length)
      return truth.filter((label, step) => scores[i][step] > 0 === (label === 1)).length
    })
    expect(right.reduce((a, b) => a + b, 0) / (3 * 96)).toBe(result.metrics.eval_accuracy.value)
  } finally {
    await close()
    await backend.close()
  }
})
