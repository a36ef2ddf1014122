import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { saveModel } from '@collimate/models'
import { modelFiles, tokenizerSizes } from './model-source.js'
import { options } from './options.js'

const sizes = { model_type: 'gpt2', n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 }

describe('options', () => {
  test('name exactly one source', () => {
    expect(options.safeParse({ model: 'a' }).success).toBe(true)
    expect(options.safeParse({ create: { config: sizes } }).success).toBe(true)
    expect(options.safeParse({}).success).toBe(false)
    expect(options.safeParse({ model: 'a', create: { config: sizes } }).success).toBe(false)
  })

  test.each([
    { decodeBatchSize: 0 },
    { programMemory: 0 },
    { freezeDecoding: 'yes' },
    { head: 'value' },
    { unknown: 1 },
  ])('%o is refused', (further) => {
    expect(options.safeParse({ model: 'a', ...further }).success).toBe(false)
  })
})

describe('modelFiles', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'collimate-source-'))
    const tokenizer = {
      model: { type: 'BPE', vocab: { a: 0, b: 1, c: 2 }, merges: [] },
      added_tokens: [
        { id: 3, content: '<s>' },
        { id: 5, content: '</s>' },
      ],
    }
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
    const config = { bos_token: { content: '<s>' }, eos_token: '</s>', pad_token: 'a' }
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const path = (relative: string) => join(folder, relative)
  const weight = (files: Awaited<ReturnType<typeof modelFiles>>) => Object.values(files.weights)[0]

  test.each(['.', 'tokenizer.json'])(
    'takes vocabulary and special tokens from the tokenizer at %s',
    async (tokenizer) => {
      const files = await modelFiles({ create: { config: sizes, tokenizer } }, path, 1)
      expect(files.config.vocabularySize).toBe(6)
      expect(files).toMatchObject({ eosTokens: [5], bosToken: 3 })
      expect(files.tokenizer?.config['pad_token']).toBe('a')
    },
  )

  test('what the configuration says comes first', async () => {
    const config = { ...sizes, vocab_size: 8, eos_token_id: 1 }
    const files = await modelFiles({ create: { config, tokenizer: '.' } }, path, 1)
    expect(files.config.vocabularySize).toBe(8)
    expect(files.eosTokens).toEqual([1])
  })

  test('the seed decides the weights', async () => {
    const config = { ...sizes, vocab_size: 8 }
    const of = (experiment: number, seed?: number) =>
      modelFiles({ create: { config, ...(seed !== undefined && { seed }) } }, path, experiment)
    expect(weight(await of(1))).toEqual(weight(await of(1)))
    expect(weight(await of(1))).not.toEqual(weight(await of(2)))
    expect(weight(await of(2, 1))).toEqual(weight(await of(1)))
  })

  test.each([
    ['COLLIMATE_FILE_MISSING', { model: 'nowhere' }],
    ['COLLIMATE_FILE_MISSING', { create: { config: sizes, tokenizer: 'nowhere' } }],
    ['COLLIMATE_MODEL_TYPE_UNKNOWN', { create: { config: { ...sizes, model_type: 'abacus' } } }],
    ['COLLIMATE_MODEL_CONFIG_INVALID', { create: { config: sizes } }],
  ])('refuses with %s: %o', async (code, source) => {
    await expect(modelFiles(source, path, 1)).rejects.toMatchObject({ code })
  })
})

describe('head', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'collimate-head-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const from = (given: object, seed = 1) => modelFiles(options.parse(given), (relative) => join(folder, relative), seed)
  const create = { config: { ...sizes, vocab_size: 8 } }

  test('is what is asked for; `auto` is what the model has', async () => {
    for (const head of ['language', 'score', 'language+score'] as const) {
      const files = await from({ create, head })
      expect(files.head).toBe(head)
      await saveModel(join(folder, head), files)
    }
    expect((await from({ create })).head).toBe('language')
    expect((await from({ model: 'score' })).head).toBe('score')
    expect((await from({ model: 'language+score' })).head).toBe('language')
    expect((await from({ model: 'language+score', head: 'language+score' })).head).toBe('language+score')
    await expect(from({ model: 'score', head: 'language' })).rejects.toMatchObject({ code: 'COLLIMATE_HEAD_MISSING' })
  })

  test('a new one comes from the seed of the experiment, also where the trunk is read', async () => {
    await saveModel(join(folder, 'base'), await from({ create }))
    const head = async (given: object, seed: number) =>
      (await from({ ...given, head: 'score' }, seed)).weights['score.weight']
    expect(await head({ model: 'base' }, 5)).toEqual(await head({ model: 'base' }, 5))
    expect(await head({ model: 'base' }, 5)).not.toEqual(await head({ model: 'base' }, 6))
    expect(await head({ create }, 5)).toEqual(await head({ model: 'base' }, 5))
  })
})

test('tokenizerSizes reads the vocabulary of a Unigram model too', () => {
  const tokenizer = {
    model: {
      type: 'Unigram',
      vocab: [
        ['<s>', 0],
        ['</s>', 0],
        ['a', -1],
      ],
    },
  }
  expect(tokenizerSizes({ tokenizer, config: { eos_token: '</s>' } })).toEqual({ vocab_size: 3, eos_token_id: 1 })
})
