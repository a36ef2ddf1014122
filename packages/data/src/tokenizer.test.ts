import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { trainByteBpe } from './byte-bpe.js'
import { loadTokenizerFiles, tokenizerFiles } from './tokenizer-files.js'
import { createTokenizer } from './tokenizer.js'

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
const here = existsSync(data)

interface Case {
  text: string
  ids: number[]
  decoded: string
}

describe.skipIf(!here)('tokenizers of ../shared/data (skipped where the folder is absent)', () => {
  for (const name of ['tok-gpt2', 'tok-smollm2', 'tok-tiny-bpe']) {
    it(`${name} gives the ids and texts of the Rust library`, async () => {
      const tokenizer = createTokenizer(await loadTokenizerFiles(data + name))
      const files = name === 'tok-gpt2' ? ['expected.json', 'expected_distilgpt2.json'] : ['expected.json']
      for (const file of files) {
        for (const { text, ids, decoded } of JSON.parse(readFileSync(`${data}${name}/${file}`, 'utf8')) as Case[]) {
          expect(Array.from(tokenizer.encode(text)), text).toEqual(ids)
          // The published pairs of distilgpt2 are cleaned up after decoding.
          if (file === 'expected.json') expect(tokenizer.decode(ids), text).toBe(decoded)
        }
      }
    })
  }

  it('tok-smollm2 splits at every numeric character', async () => {
    const tokenizer = createTokenizer(await loadTokenizerFiles(`${data}tok-smollm2`))
    expect(Array.from(tokenizer.encode(' ⅔ 12 ①'))).toEqual([216, 173, 223, 238, 216, 33, 34, 216, 173, 235, 250])
  })

  it('tinystories-656k begins a text with one beginning-of-sequence token and finds its special tokens anywhere', async () => {
    const tokenizer = createTokenizer(await loadTokenizerFiles(`${data}tinystories-656k`))
    expect(tokenizer.bosToken).toEqual({ text: '<|start_story|>', id: 1 })
    expect(tokenizer.eosToken).toEqual({ text: '<|end_story|>', id: 2 })
    expect(tokenizer.vocabularySize).toBe(2048)
    expect(Array.from(tokenizer.encode('Once upon a time', { beginning: true }))).toEqual([1, 80, 147, 201, 282, 57])
    expect(Array.from(tokenizer.encode('<|start_story|>Once', { beginning: true }).slice(0, 2))).not.toEqual([1, 1])
    expect(tokenizer.encode('the end.<|end_story|>').at(-1)).toBe(2)
    const ids = tokenizer.encode('Once upon a time, there was a dog.')
    for (let at = 0; at <= ids.length; at++) {
      const [before, after] = [ids.slice(0, at), ids.slice(at)]
      expect(tokenizer.decode(before) + tokenizer.decodeAfter(before, after)).toBe(tokenizer.decode(ids))
    }
  })
})

describe('createTokenizer', () => {
  const tokenizer = createTokenizer(
    trainByteBpe(['the cat sat on the mat'], { vocabularySize: 270, specialTokens: ['<|user|>'] }),
  )

  test.prop([fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })])(
    'decodeAfter gives what ids add',
    (a, b) => {
      const ids = tokenizer.encode(a)
      expect(tokenizer.decodeAfter(ids, tokenizer.encode(b))).toBe(b)
    },
  )

  it('knows special tokens in texts and leaves them out on request', () => {
    const ids = tokenizer.encode('<|user|>hi<|endoftext|>')
    expect([ids[0], ids.at(-1)]).toEqual([1, 0])
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('hi')
  })

  it('refuses ids outside the vocabulary and files that are no tokenizer', () => {
    expect(() => tokenizer.decode([99_999])).toThrow(expect.objectContaining({ code: 'COLLIMATE_TOKEN_UNKNOWN' }))
    const empty = tokenizerFiles({ tokenizer: {} })
    expect(() => createTokenizer(empty)).toThrow(expect.objectContaining({ code: 'COLLIMATE_TOKENIZER_INVALID' }))
  })
})

describe('tokenizerFiles', () => {
  it('fills what the configuration leaves out, and puts the template file first', () => {
    const files = tokenizerFiles({
      tokenizer: {},
      config: { eos_token: '</s>', chat_template: 'old' },
      specialTokensMap: { eos_token: 'other', bos_token: { content: '<s>' } },
      chatTemplate: 'new',
    })
    expect(files.config).toEqual({ eos_token: '</s>', bos_token: { content: '<s>' }, chat_template: 'new' })
  })

  it('names what is missing', async () => {
    await expect(loadTokenizerFiles('/nowhere')).rejects.toMatchObject({ code: 'COLLIMATE_TOKENIZER_MISSING' })
  })
})
