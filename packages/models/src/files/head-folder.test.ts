import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ModelHead } from '../architectures/model-head.js'
import { parityFolder } from '../testing/parity.js'
import { temporaryFolder } from '../testing/temporary-folder.js'
import { tinyGpt2, tinyLlama } from '../testing/tiny-models.js'
import { newScalarHead } from './initialise.js'
import { loadModel } from './load-model.js'
import { readRewardNormalisation, rewardNormalisationOf, writeRewardNormalisation } from './reward-normalisation.js'
import { readSafetensors, writeSafetensors } from './safetensors.js'
import { saveModel } from './save-model.js'

const temporary = temporaryFolder()
const folder = () => join(temporary(), 'model')
const readJson = async (name: string) =>
  JSON.parse(await readFile(join(folder(), name), 'utf8')) as Record<string, unknown>
const change = async (edit: Record<string, unknown>) =>
  writeFile(join(folder(), 'config.json'), JSON.stringify({ ...(await readJson('config.json')), ...edit }))
const failure = async (work: Promise<unknown>) =>
  (await work.catch((error: unknown) => error)) as { code: string; message: string }
const stored = async (file = 'model.safetensors') => (await readSafetensors(join(folder(), file))).tensors

const makers = { llama: tinyLlama, gpt2: tinyGpt2 }
const untied = { tie_word_embeddings: false }
const tokenizer = {
  tokenizer: { model: { type: 'BPE', vocab: { a: 0, b: 1, '</s>': 2 } }, added_tokens: [{ id: 7, content: '<pad>' }] },
  config: { pad_token: { content: '<pad>' }, eos_token: '</s>' },
}

describe.each(['llama', 'gpt2'] as const)('%s', (name) => {
  test.each([
    ['score', {}],
    ['score', untied],
    ['language+score', {}],
    ['language+score', untied],
  ] as const)('%s comes back bit for bit, tied or not', async (head, options) => {
    const files = makers[name](1, options, head)
    await saveModel(folder(), files)
    const back = await loadModel(folder(), { head, seed: 9 })
    expect(back.head).toBe(head)
    expect(back.weights).toEqual(files.weights)
    expect(back.config).toEqual(files.config)
  })

  test('a causal model becomes a score model with a new head, and is saved as one', async () => {
    const files = { ...makers[name](1, untied), tokenizer }
    await saveModel(folder(), files)
    const score = await loadModel(folder(), { head: 'score', seed: 5 })
    expect(score.head).toBe('score')
    expect(Object.keys(score.weights)).not.toContain('lm_head.weight')
    expect(score.weights['score.weight']).toEqual(newScalarHead(files.config, 5))
    const trunk = Object.keys(files.weights).filter((weight) => weight !== 'lm_head.weight')
    for (const weight of trunk) expect(score.weights[weight]).toEqual(files.weights[weight])

    await saveModel(folder(), score)
    const className = name === 'llama' ? 'LlamaForSequenceClassification' : 'GPT2ForSequenceClassification'
    expect(await readJson('config.json')).toMatchObject({
      architectures: [className],
      id2label: { 0: 'LABEL_0' },
      label2id: { LABEL_0: 0 },
      pad_token_id: 7,
    })
    expect(Object.keys(await stored()).sort()).toEqual([...trunk, 'score.weight'].sort())
    const again = await loadModel(folder())
    expect(again.head).toBe('score')
    expect(again.weights).toEqual(score.weights)
  })
})

test.each(['gpt2-reward', 'llama-reward'])('the files of transformers: %s', async (name) => {
  const source = parityFolder(name)
  const files = await loadModel(source)
  expect(files.head).toBe('score')
  await saveModel(folder(), files)
  expect(await stored()).toEqual((await readSafetensors(join(source, 'model.safetensors'))).tensors)
  const text = (at: string) => readFile(join(at, 'config.json'), 'utf8')
  expect((await text(folder())).replaceAll('0.00001', '1e-05')).toBe(await text(source))
})

describe('a score model', () => {
  const saved = async (files = tinyLlama(1, {}, 'score')) => {
    await saveModel(folder(), files)
    return files
  }

  test('keeps the padding and the labels that it has', async () => {
    await saved({ ...tinyLlama(1, { pad_token_id: 3 }, 'score'), tokenizer })
    await change({ id2label: { 0: 'reward' }, label2id: { reward: 0 }, collimate: { rewardMean: 1, rewardStd: 2 } })
    await saveModel(folder(), await loadModel(folder()))
    expect(await readJson('config.json')).toMatchObject({
      pad_token_id: 3,
      id2label: { 0: 'reward' },
      collimate: { rewardMean: 1, rewardStd: 2 },
    })
  })

  test('is not padded with a token that ends sequences', async () => {
    await saved({ ...tinyLlama(1, {}, 'score'), tokenizer: { ...tokenizer, config: { pad_token: '</s>' } } })
    expect(await readJson('config.json')).not.toHaveProperty('pad_token_id')
  })

  test.each([
    ['no labels', { id2label: undefined }, /config\.json: "id2label" undefined is not supported/],
    ['two labels', { id2label: { 0: 'a', 1: 'b' } }, /config\.json: "id2label" {"0":"a","1":"b"} is not supported/],
    ['a number of labels', { id2label: undefined, num_labels: 3 }, /config\.json: "num_labels" 3 is not supported/],
    ['another class', { architectures: ['LlamaForTokenClassification'] }, /"architectures".*not supported/],
    ['a class of another kind', { architectures: 'LlamaForCausalLM' }, /"architectures".*list of class names/],
  ])('of %s is refused', async (_what, edit, message) => {
    await saved()
    await change(edit)
    const error = await failure(loadModel(folder()))
    expect(error.code).toMatch(/COLLIMATE_MODEL_(UNSUPPORTED|CONFIG_INVALID)/)
    expect(error.message).toMatch(message)
    expect(error.message).toContain(folder())
  })

  test('has no language head to give', async () => {
    await saved()
    for (const head of ['language', 'language+score'] as const)
      expect(await failure(loadModel(folder(), { head }))).toMatchObject({
        code: 'COLLIMATE_HEAD_MISSING',
        message: expect.stringContaining(join(folder(), 'config.json')) as string,
      })
    expect((await loadModel(folder(), { head: 'score' })).head).toBe('score')
  })

  test('without its head is damaged', async () => {
    await saved()
    const { 'score.weight': _head, ...rest } = await stored()
    await writeSafetensors(join(folder(), 'model.safetensors'), rest)
    expect(await failure(loadModel(folder()))).toMatchObject({ code: 'COLLIMATE_MODEL_WEIGHTS_MISSING' })
  })

  test('made of a bare trunk has the names of its class', async () => {
    const files = tinyGpt2()
    const bare = Object.keys(files.weights).map((weight) => [weight, weight.replace('transformer.', '')])
    await saved({ ...files, storedNames: Object.fromEntries(bare) as Record<string, string> })
    expect(Object.keys(await stored())).toContain('wte.weight')
    await saveModel(folder(), await loadModel(folder(), { head: 'score' }))
    expect(Object.keys(await stored())).toContain('transformer.wte.weight')
  })
})

describe('a value head', () => {
  const file = () => join(folder(), 'value_head.safetensors')

  test('lies beside a causal model, which anybody can load without it', async () => {
    const files = tinyLlama(1, untied, 'language+score')
    await saveModel(folder(), files)
    expect((await readdir(folder())).sort()).toEqual(['config.json', 'model.safetensors', 'value_head.safetensors'])
    expect(Object.keys(await stored('value_head.safetensors'))).toEqual(['score.weight'])
    const language = await loadModel(folder())
    expect(language.head).toBe('language')
    expect(language.weights).toEqual(tinyLlama(1, untied).weights)
    expect((await loadModel(folder(), { head: 'score' })).weights['score.weight']).toEqual(
      files.weights['score.weight'],
    )

    // Saved without it, none of another model is left behind.
    await saveModel(folder(), language)
    expect((await readdir(folder())).sort()).toEqual(['config.json', 'model.safetensors'])
  })

  test('is new where there is none, and refused where the file holds none', async () => {
    const files = tinyLlama()
    await saveModel(folder(), files)
    const load = (head: ModelHead) => loadModel(folder(), { head, seed: 3 })
    expect((await load('language+score')).weights['score.weight']).toEqual(newScalarHead(files.config, 3))
    const { 'model.norm.weight': gain } = files.weights
    await writeSafetensors(file(), { other: gain })
    expect(await failure(load('language+score'))).toMatchObject({ code: 'COLLIMATE_MODEL_WEIGHTS_MISSING' })
    await writeSafetensors(file(), { 'score.weight': gain })
    expect(await failure(load('score'))).toMatchObject({ code: 'COLLIMATE_MODEL_WEIGHTS_INVALID' })
    await rm(file())
  })
})

describe('normalisation of rewards', () => {
  test('is written into config.json and read from it, and taken out again', async () => {
    await saveModel(folder(), tinyLlama(1, { rope_theta: 10000, collimate: { other: 1 } }, 'score'))
    const before = await readFile(join(folder(), 'config.json'), 'utf8')
    expect(await readRewardNormalisation(folder())).toBeUndefined()
    await writeRewardNormalisation(folder(), { mean: -1.5, std: 0.25 })
    expect(await readRewardNormalisation(folder())).toEqual({ mean: -1.5, std: 0.25 })
    expect((await readJson('config.json'))['collimate']).toEqual({ other: 1, rewardMean: -1.5, rewardStd: 0.25 })
    expect(rewardNormalisationOf((await loadModel(folder())).rawConfig)).toEqual({ mean: -1.5, std: 0.25 })
    await writeRewardNormalisation(folder(), undefined)
    expect(JSON.parse(await readFile(join(folder(), 'config.json'), 'utf8'))).toEqual(JSON.parse(before))
    expect(await readFile(join(folder(), 'config.json'), 'utf8')).toContain('"rope_theta": 10000.0')
  })

  test.each([
    { rewardMean: 1 },
    { rewardStd: 1 },
    { rewardMean: 'x', rewardStd: 1 },
    { rewardMean: 0, rewardStd: 0 },
    { rewardMean: 0, rewardStd: -1 },
  ])('%o is refused', async (collimate) => {
    await saveModel(folder(), tinyLlama(1, { collimate }, 'score'))
    expect(await failure(readRewardNormalisation(folder()))).toMatchObject({
      code: 'COLLIMATE_MODEL_CONFIG_INVALID',
      message: expect.stringMatching(/config\.json: "collimate\.reward(Mean|Std)"/) as string,
    })
  })

  test('one that is none is not written', async () => {
    await saveModel(folder(), tinyLlama(1, {}, 'score'))
    for (const normalisation of [
      { mean: NaN, std: 1 },
      { mean: 0, std: 0 },
    ])
      await expect(writeRewardNormalisation(folder(), normalisation)).rejects.toMatchObject({
        code: 'COLLIMATE_MODEL_CONFIG_INVALID',
      })
  })
})
