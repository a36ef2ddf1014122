import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { DatasetType } from '@collimate/core'
import { trainByteBpe } from './byte-bpe.js'
import { chatTemplate } from './chat-template.js'
import { columnReader } from './columns.js'
import { datasetRow } from './dataset-types.js'
import { fingerprint, prepareExamples } from './prepare.js'
import { createTokenizer } from './tokenizer.js'
import { tokenizeRow } from './tokenize.js'
import type { TokenizeOptions } from './tokenize.js'

const CHATML = `{% for m in messages %}{{ '<|user|>' if m.role == 'user' else '<|bot|>' }}{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|bot|>{% endif %}`
const SPECIALS = ['<|user|>', '<|bot|>', '<|end|>']
const files = trainByteBpe(['What is it? It is what it is. the cat sat on the mat'], {
  vocabularySize: 300,
  specialTokens: SPECIALS,
  chatTemplate: CHATML,
})
const tokenizer = createTokenizer(files)
const END = tokenizer.eosToken?.id ?? -1
const source = (value: Record<string, unknown>, index = 4) => ({ value, file: 'f.jsonl', line: 5, index })

function tokenized(value: Record<string, unknown>, type: DatasetType, options: Partial<TokenizeOptions> = {}) {
  const row = datasetRow(source(value), type, columnReader())
  if (row === 'prompts_differ') throw new Error(row)
  return tokenizeRow(row, {
    tokenizer,
    template: chatTemplate(CHATML),
    maxLength: null,
    truncation: 'keep_start',
    ...options,
  })
}
function exampleOf(...request: Parameters<typeof tokenized>) {
  const result = tokenized(...request)
  if ('dropped' in result) throw new Error(result.dropped)
  return result.example
}

describe('tokenizeRow', () => {
  it('writes the end once, also where the text has it or padding is the end', () => {
    expect(tokenizer.padToken?.id).toBe(END)
    const ends = (completion: string) =>
      exampleOf({ prompt: 'a', completion }, 'prompt-completion').completions[0].filter((id) => id === END).length
    expect([ends('b'), ends('b<|endoftext|>'), ends('')]).toEqual([1, 1, 1])
  })

  it('gives texts an empty prompt, and prompts no end', () => {
    expect(exampleOf({ text: 'ab' }, 'language-modeling').prompt.length).toBe(0)
    const { prompt, completions } = exampleOf({ prompt: 'ab' }, 'prompt-only')
    expect([tokenizer.decode(prompt), completions]).toEqual(['ab', []])
  })

  it('says where tokens merge across the border, and lets the completion begin there', () => {
    const merged = trainByteBpe(['abab abab'], { vocabularySize: 258 })
    const small = createTokenizer(merged)
    const result = tokenized({ prompt: 'xa', completion: 'b' }, 'prompt-completion', { tokenizer: small })
    expect(result).toMatchObject({ promptCut: true })
    if ('dropped' in result) throw new Error()
    expect([small.decode(result.example.prompt), small.decode(result.example.completions[0])]).toEqual([
      'x',
      'ab<|endoftext|>',
    ])
  })

  it('puts one beginning-of-sequence token before a text where the tokenizer does so', () => {
    const bos = { id: '<|user|>', type_id: 0 }
    const postProcessor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: bos }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<|user|>': { id: '<|user|>', ids: [1], tokens: ['<|user|>'] } },
    }
    const begins = createTokenizer({ ...files, tokenizer: { ...files.tokenizer, post_processor: postProcessor } })
    const example = exampleOf({ prompt: 'a', chosen: 'b', rejected: 'c' }, 'preference', { tokenizer: begins })
    expect(Array.from(example.prompt)).toEqual([1, ...tokenizer.encode('a')])
    const given = exampleOf({ prompt: '<|user|>a', completion: 'b' }, 'prompt-completion', { tokenizer: begins })
    expect(given.prompt).toEqual(example.prompt)
    // A chat template writes its own.
    const messages = [{ role: 'user', content: 'a' }]
    expect(
      exampleOf({ prompt: messages }, 'prompt-only', { tokenizer: begins }).prompt.filter((id) => id === 1).length,
    ).toBe(1)
  })

  it('renders conversations, with the header of the answer in the prompt', () => {
    const prompt = [{ role: 'user', content: 'Q' }]
    const example = exampleOf(
      { prompt, chosen: [{ role: 'assistant', content: 'A' }], rejected: [{ role: 'assistant', content: 'B' }] },
      'preference',
    )
    expect(tokenizer.decode(example.prompt)).toBe('<|user|>Q<|end|><|bot|>')
    expect(example.completions.map((ids) => tokenizer.decode(ids))).toEqual(['A<|end|>', 'B<|end|>'])
    expect(example.text).toEqual({ prompt: '<|user|>Q<|end|><|bot|>', completions: ['A', 'B'] })
    const continued = exampleOf({ prompt: [...prompt, { role: 'assistant', content: 'So' }] }, 'prompt-only')
    expect(tokenizer.decode(continued.prompt)).toBe('<|user|>Q<|end|><|bot|>So')
  })

  it('trains on the assistant alone where that is asked', () => {
    const messages = [
      { role: 'user', content: 'Q' },
      { role: 'assistant', content: 'A' },
      { role: 'user', content: 'R' },
      { role: 'assistant', content: 'B' },
    ]
    const { completions, masks } = exampleOf({ messages }, 'language-modeling', { assistantOnly: true })
    expect(tokenizer.decode(completions[0].filter((_, at) => masks?.[0][at] === 1))).toBe('A<|end|>B<|end|>')
    expect(exampleOf({ messages }, 'language-modeling').masks).toBeUndefined()
    expect(() => tokenized({ messages: messages.slice(0, 1) }, 'language-modeling', { assistantOnly: true })).toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_MASK_EMPTY',
        message: expect.stringContaining('f.jsonl, line 5') as string,
      }),
    )
  })

  it('names the row where a conversation cannot be rendered', () => {
    const messages = [{ role: 'user', content: 'Q' }]
    expect(() => tokenized({ messages }, 'language-modeling', { template: undefined })).toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_TEMPLATE_MISSING',
        message: expect.stringContaining('f.jsonl, line 5') as string,
      }),
    )
    expect(() => tokenized({ messages, tools: '{' }, 'language-modeling')).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_DATA_FIELD_INVALID' }),
    )
  })

  it('shows truncated texts as they are trained on', () => {
    const example = exampleOf({ prompt: 'xyz', completion: 'uvw' }, 'prompt-completion', { maxLength: 5 })
    expect(example.text).toEqual({ prompt: 'xyz', completions: ['uv'] })
  })
})

describe('prepareExamples', () => {
  const request = { type: 'preference', tokenizer: files, maxLength: null, truncation: 'keep_start' } as const
  const rows = [
    { prompt: 'a', chosen: 'b', rejected: 'c' },
    { prompt: 'a', chosen: 'b', rejected: 'b' },
    { chosen: [{ role: 'user', content: 'a' }], rejected: [{ role: 'user', content: 'b' }] },
    { prompt: 'zzzzzzzz', chosen: 'b', rejected: 'c' },
  ].map((value, index) => source(value, index))

  it('counts what it drops, and reports progress', async () => {
    const seen: number[] = []
    const split = await prepareExamples(rows, { ...request, maxLength: 8 }, { onProgress: (done) => seen.push(done) })
    expect(split.examples.map(({ index }) => index)).toEqual([0])
    expect(split.dropped).toEqual({ identical: 1, prompts_differ: 1, emptied: 1 })
    expect(split.info.length).toBe(1)
    expect(seen).toEqual([0, 4])
  })

  it('leaves rows out that are too long, where they are to be dropped', async () => {
    const dropped = await prepareExamples(rows, { ...request, maxLength: 8, truncation: 'drop' })
    expect(dropped.examples.map(({ index }) => index)).toEqual([0])
    expect(dropped.dropped).toEqual({ identical: 1, prompts_differ: 1, too_long: 1 })
    const kept = await prepareExamples(rows, { ...request, truncation: 'drop' })
    expect(kept.examples.map(({ index }) => index)).toEqual([0, 3])
  })

  it('refuses to go on with nothing, and stops when asked', async () => {
    await expect(prepareExamples(rows.slice(1, 2), request)).rejects.toMatchObject({
      code: 'COLLIMATE_DATA_NOTHING_LEFT',
    })
    await expect(prepareExamples(rows, request, { signal: AbortSignal.abort() })).rejects.toThrow()
  })

  it('packs documents, and refuses to pack pairs or without a length', async () => {
    const texts = ['ab', 'cd', 'ef'].map((text, index) => source({ text }, index))
    const split = await prepareExamples(texts, { ...request, type: 'language-modeling', maxLength: 7, packing: 'bfd' })
    expect(split.examples.map(({ completions }) => completions.length)).toEqual([2, 1])
    await expect(
      prepareExamples(texts, { ...request, type: 'language-modeling', packing: 'bfd' }),
    ).rejects.toMatchObject({ code: 'COLLIMATE_PACKING_UNSUPPORTED' })
    await expect(prepareExamples(rows, { ...request, maxLength: 7, packing: 'bfd' })).rejects.toMatchObject({
      code: 'COLLIMATE_PACKING_UNSUPPORTED',
    })
  })

  test.prop([
    fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }), { minLength: 2, maxLength: 4 }),
    fc.nat(9),
  ])('the fingerprint tells examples apart, wherever their borders are', (lists, at) => {
    const examplesOf = (parts: number[][]) => [
      {
        index: 0,
        prompt: Int32Array.from(parts[0]),
        completions: parts.slice(1).map((list) => Int32Array.from(list)),
        text: { prompt: '', completions: [] },
        columns: {},
      },
    ]
    const moved = lists.map((list) => [...list])
    const from = moved[at % lists.length]
    expect(fingerprint(examplesOf(moved))).toBe(fingerprint(examplesOf(lists)))
    const token = from.pop()
    if (token === undefined) return
    moved[(at + 1) % lists.length].unshift(token)
    expect(fingerprint(examplesOf(moved))).not.toBe(fingerprint(examplesOf(lists)))
  })
})
