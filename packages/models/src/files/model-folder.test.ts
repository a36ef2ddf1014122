import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parityFolder } from '../testing/parity.js'
import { temporaryFolder } from '../testing/temporary-folder.js'
import { tinyGpt2, tinyLlama } from '../testing/tiny-models.js'
import { loadModel } from './load-model.js'
import type { ModelFiles } from './model-files.js'
import { readSafetensors, writeSafetensors } from './safetensors.js'
import { saveModel } from './save-model.js'
import { weightsHash } from './weights-hash.js'

const temporary = temporaryFolder()
const folder = () => join(temporary(), 'model')
const readJson = async (name: string) =>
  JSON.parse(await readFile(join(folder(), name), 'utf8')) as Record<string, unknown>
const writeJson = (name: string, json: unknown) => writeFile(join(folder(), name), JSON.stringify(json))
const failure = async (work: Promise<unknown>) =>
  (await work.catch((error: unknown) => error)) as { code: string; message: string }

const tokenizer = {
  tokenizer: { version: '1.0', model: { type: 'BPE' } },
  config: { eos_token: '<e>', chat_template: '{{ x }}' },
}

async function saved(files: ModelFiles = tinyLlama()): Promise<ModelFiles> {
  await saveModel(folder(), files)
  return files
}

describe('save and load', () => {
  test.each([
    ['llama', tinyLlama()],
    ['untied llama with biases', tinyLlama(2, { tie_word_embeddings: false, attention_bias: true, mlp_bias: true })],
    ['gpt2', tinyGpt2()],
    ['untied gpt2', tinyGpt2(2, { tie_word_embeddings: false, n_inner: 20 })],
  ])('%s comes back bit for bit', async (_name, made) => {
    const files = { ...made, tokenizer, generationConfig: { eos_token_id: 3, bos_token_id: 1 } }
    await saveModel(folder(), files)
    const back = await loadModel(folder())
    expect(back.config).toEqual(files.config)
    expect(back.weights).toEqual(files.weights)
    expect(back.tokenizer).toEqual(tokenizer)
    expect(back.eosTokens).toEqual([3])
    expect(back.bosToken).toBe(1)
    expect(weightsHash(back.weights)).toBe(weightsHash(files.weights))
  })

  test.each(['gpt2', 'llama', 'llama-rope3'])('the files of transformers: %s', async (name) => {
    const source = parityFolder(name)
    await saveModel(folder(), await loadModel(source))
    expect(await readSafetensors(join(folder(), 'model.safetensors'))).toEqual(
      await readSafetensors(join(source, 'model.safetensors')),
    )
    const text = (at: string, file: string) => readFile(join(at, file), 'utf8')
    expect((await text(folder(), 'model.safetensors')).length).toBe((await text(source, 'model.safetensors')).length)
    expect((await text(folder(), 'config.json')).replaceAll('0.00001', '1e-05')).toBe(await text(source, 'config.json'))
    expect(JSON.parse(await text(folder(), 'generation_config.json'))).toEqual(
      JSON.parse(await text(source, 'generation_config.json')),
    )
  })

  test('names without the prefix are written back as they were', async () => {
    await saved(tinyGpt2())
    const file = join(folder(), 'model.safetensors')
    const { tensors } = await readSafetensors(file)
    const bare = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name.replace('transformer.', ''), tensor]),
    )
    const buffer = { dtype: 'float', shape: [1], data: Float32Array.of(1) } as const
    await writeSafetensors(file, { ...bare, 'h.0.attn.bias': buffer, 'h.0.attn.masked_bias': buffer })
    const loaded = await loadModel(folder())
    expect(loaded.weights).toEqual(tinyGpt2().weights)
    await saveModel(folder(), loaded)
    expect(Object.keys((await readSafetensors(file)).tensors).sort()).toEqual(Object.keys(bare).sort())
  })

  test('a tied head stored under the name of the head', async () => {
    await saved()
    const file = join(folder(), 'model.safetensors')
    const { 'model.embed_tokens.weight': embedding, ...rest } = (await readSafetensors(file)).tensors
    await writeSafetensors(file, { ...rest, 'lm_head.weight': embedding })
    expect((await loadModel(folder())).weights).toEqual(tinyLlama().weights)
    const other = { ...embedding, data: embedding.data.map((value) => value + 1) as Float32Array }
    await writeSafetensors(file, { ...rest, 'model.embed_tokens.weight': other, 'lm_head.weight': embedding })
    expect(await failure(loadModel(folder()))).toMatchObject({ code: 'COLLIMATE_MODEL_WEIGHTS_INVALID' })
  })

  test('shards', async () => {
    await saved()
    const single = join(folder(), 'model.safetensors')
    const entries = Object.entries((await readSafetensors(single)).tensors)
    await rm(single)
    const half = Math.ceil(entries.length / 2)
    const shards = [entries.slice(0, half), entries.slice(half)]
    const map: Record<string, string> = {}
    for (const [i, shard] of shards.entries()) {
      const name = `model-0000${i + 1}-of-00002.safetensors`
      await writeSafetensors(join(folder(), name), Object.fromEntries(shard))
      for (const [key] of shard) map[key] = name
    }
    await writeJson('model.safetensors.index.json', { metadata: {}, weight_map: map })
    const loaded = await loadModel(folder())
    expect(loaded.weights).toEqual(tinyLlama().weights)

    const [someKey] = Object.keys(map)
    await writeJson('model.safetensors.index.json', { weight_map: { ...map, [someKey]: '../x.safetensors' } })
    expect(await failure(loadModel(folder()))).toMatchObject({ code: 'COLLIMATE_MODEL_WEIGHTS_INVALID' })
    await writeJson('model.safetensors.index.json', { weight_map: { ...map, extra: map[someKey] } })
    expect(await failure(loadModel(folder()))).toMatchObject({ code: 'COLLIMATE_MODEL_WEIGHTS_MISSING' })
    await writeJson('model.safetensors.index.json', { weight_map: { ...map, [someKey]: 'gone.safetensors' } })
    expect(await failure(loadModel(folder()))).toMatchObject({ code: 'COLLIMATE_FILE_MISSING' })

    // A saved model replaces the shards.
    await saveModel(folder(), loaded)
    expect((await readdir(folder())).sort()).toEqual(['config.json', 'model.safetensors'])
  })

  test.each(['F16', 'BF16'] as const)('%s on disk', async (dtype) => {
    const { config, ...rest } = tinyLlama()
    await saveModel(folder(), { config, ...rest }, { dtype })
    const name = dtype === 'F16' ? 'float16' : 'bfloat16'
    expect((await readJson('config.json'))['dtype']).toBe(name)
    const { weights } = await loadModel(folder())
    const [a, b] = [weights, rest.weights].map((set) => set['model.embed_tokens.weight'].data)
    for (const [i, value] of b.entries()) expect(Math.abs(a[i] - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8)
    await saveModel(folder(), { config, ...rest, rawConfig: { ...rest.rawConfig, torch_dtype: name } })
    expect((await readJson('config.json'))['torch_dtype']).toBe('float32')
  })
})

describe('tokenizer files', () => {
  test('special tokens and chat template are folded in', async () => {
    await saved()
    await writeJson('tokenizer.json', { version: '1.0' })
    await writeJson('tokenizer_config.json', { eos_token: '<own>', chat_template: 'old' })
    await writeJson('special_tokens_map.json', { eos_token: '<map>', bos_token: '<s>' })
    await writeFile(join(folder(), 'chat_template.jinja'), 'new')
    const loaded = await loadModel(folder())
    const config = { eos_token: '<own>', bos_token: '<s>', chat_template: 'new' }
    expect(loaded.tokenizer).toEqual({ tokenizer: { version: '1.0' }, config })
    await saveModel(folder(), loaded)
    expect((await readdir(folder())).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    expect(await readJson('tokenizer_config.json')).toEqual(config)
  })
})

describe('saving', () => {
  test('keeps unrelated files, replaces its own', async () => {
    await mkdir(folder())
    await writeFile(join(folder(), 'notes.md'), 'mine')
    await writeFile(join(folder(), 'generation_config.json'), '{"eos_token_id": 9}')
    await saved()
    expect((await readdir(folder())).sort()).toEqual(['config.json', 'model.safetensors', 'notes.md'])
    expect((await loadModel(folder())).eosTokens).toEqual([2, 3])
  })

  test('makes missing folders', async () => {
    await saveModel(join(folder(), 'a', 'b'), tinyLlama())
    expect(await readdir(join(folder(), 'a'))).toEqual(['b'])
  })

  test('a failure leaves the folder as it was', async () => {
    await saved()
    const before = await readFile(join(folder(), 'model.safetensors'))
    const { weights, ...rest } = tinyLlama(7)
    const broken = { ...weights, 'model.norm.weight': undefined as never }
    await expect(saveModel(folder(), { ...rest, weights: broken })).rejects.toThrow()
    await expect(saveModel(join(folder(), 'config.json', 'x'), tinyLlama())).rejects.toMatchObject({
      code: 'COLLIMATE_FILE_UNWRITABLE',
    })
    await expect(saveModel(join(folder(), 'config.json'), tinyLlama())).rejects.toMatchObject({
      code: 'COLLIMATE_FILE_UNWRITABLE',
    })
    expect((await readdir(folder())).sort()).toEqual(['config.json', 'model.safetensors'])
    expect((await readFile(join(folder(), 'model.safetensors'))).equals(before)).toBe(true)
    expect(await readdir(temporary())).toEqual(['model'])
  })

  test.skipIf(process.getuid?.() === 0)('an unwritable folder', async () => {
    await saved()
    await chmod(folder(), 0o555)
    await expect(saveModel(folder(), tinyLlama(3))).rejects.toMatchObject({ code: 'COLLIMATE_FILE_UNWRITABLE' })
    await chmod(folder(), 0o755)
  })
})

describe('broken folders', () => {
  const cases: [string, string, RegExp, () => Promise<unknown>][] = [
    ['missing', 'COLLIMATE_FILE_MISSING', /model does not exist/, () => rm(folder(), { recursive: true })],
    ['no config', 'COLLIMATE_FILE_MISSING', /config\.json does not exist/, () => rm(join(folder(), 'config.json'))],
    [
      'config is not JSON',
      'COLLIMATE_JSON_INVALID',
      /config\.json is not JSON/,
      () => writeFile(join(folder(), 'config.json'), '{'),
    ],
    ['config is a list', 'COLLIMATE_JSON_INVALID', /config\.json/, () => writeJson('config.json', [])],
    [
      'no model type',
      'COLLIMATE_MODEL_TYPE_UNKNOWN',
      /"model_type" is missing.*llama, gpt2/,
      () => writeJson('config.json', {}),
    ],
    [
      'unknown type',
      'COLLIMATE_MODEL_TYPE_UNKNOWN',
      /"bert" is unknown; known: llama, gpt2/,
      () => writeJson('config.json', { model_type: 'bert' }),
    ],
    [
      'no weights',
      'COLLIMATE_MODEL_WEIGHTS_MISSING',
      /neither model.safetensors/,
      () => rm(join(folder(), 'model.safetensors')),
    ],
    [
      'weights cut off',
      'COLLIMATE_SAFETENSORS_INVALID',
      /model\.safetensors: cut off/,
      async () => {
        const file = join(folder(), 'model.safetensors')
        await writeFile(file, (await readFile(file)).subarray(0, -4))
      },
    ],
    [
      'weight missing',
      'COLLIMATE_MODEL_WEIGHTS_MISSING',
      /"model\.norm\.weight" is missing/,
      () => change(({ 'model.norm.weight': _, ...rest }) => rest),
    ],
    [
      'weight unknown',
      'COLLIMATE_MODEL_WEIGHTS_INVALID',
      /"score\.weight"/,
      () => change((all) => ({ ...all, 'score.weight': all['model.norm.weight'] })),
    ],
    [
      'weight of another shape',
      'COLLIMATE_MODEL_WEIGHTS_INVALID',
      /float \[11, 16\], config.json asks for float \[16\]/,
      () => change((all) => ({ ...all, 'model.norm.weight': all['model.embed_tokens.weight'] })),
    ],
    [
      'end token',
      'COLLIMATE_MODEL_CONFIG_INVALID',
      /generation_config.json: "eos_token_id" is "x"/,
      () => writeJson('generation_config.json', { eos_token_id: 'x' }),
    ],
  ]
  const change = async (edit: (tensors: Awaited<ReturnType<typeof readSafetensors>>['tensors']) => object) => {
    const file = join(folder(), 'model.safetensors')
    await writeSafetensors(file, edit((await readSafetensors(file)).tensors) as never)
  }

  test.each(cases)('%s', async (_name, code, message, damage) => {
    await saved()
    await damage()
    const error = await failure(loadModel(folder()))
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code, message: expect.stringContaining(folder()) as string })
  })

  test('a file instead of a folder', async () => {
    await writeFile(folder(), '')
    expect(await failure(loadModel(folder()))).toMatchObject({ code: 'COLLIMATE_FILE_MISSING' })
  })
})

test('the hash sees names, shapes and values', () => {
  const { weights } = tinyLlama()
  const hash = weightsHash(weights)
  expect(hash).toMatch(/^[0-9a-f]{64}$/)
  const reversed = Object.fromEntries(Object.entries(weights).reverse())
  expect(weightsHash(reversed)).toBe(hash)
  const gain = weights['model.norm.weight']
  const { 'model.norm.weight': _, ...rest } = weights
  expect(weightsHash({ ...rest, other: gain })).not.toBe(hash)
  expect(weightsHash({ ...weights, 'model.norm.weight': { ...gain, shape: [4, 4] } })).not.toBe(hash)
  const data = Float64Array.from(gain.data)
  expect(weightsHash({ ...weights, 'model.norm.weight': { ...gain, data } })).toBe(hash)
  data[3] += 1e-6
  expect(weightsHash({ ...weights, 'model.norm.weight': { ...gain, data } })).not.toBe(hash)
})
