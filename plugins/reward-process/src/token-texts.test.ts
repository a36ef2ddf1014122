import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { createTokenizer, loadTokenizerFiles, trainByteBpe } from '@collimate/data'
import { tokenTexts } from './token-texts.js'

const tokenizer = createTokenizer(trainByteBpe(['the cat sat', ' é 猫 🙂'], { vocabularySize: 265 }))
const end = tokenizer.eosToken?.id ?? -1
const texts = (before: string, text: string, skipSpecialTokens = true) =>
  tokenTexts(tokenizer, tokenizer.encode(before), tokenizer.encode(text), { skipSpecialTokens })

describe('tokenTexts', () => {
  it('gives a character to the token that completes it', () => {
    const emoji = texts('', 'a🙂b')
    expect(emoji.length).toBeGreaterThan(3)
    expect(emoji[0]).toBe('a')
    expect(emoji.slice(1).filter((text) => text !== '')).toEqual(['🙂', 'b'])
    expect(emoji.at(-2)).toBe('🙂')
  })

  it('shows special tokens or leaves them out', () => {
    const ids = Int32Array.of(...tokenizer.encode('a'), end, end, end, end, end, ...tokenizer.encode('b'))
    const of = (skipSpecialTokens: boolean) => tokenTexts(tokenizer, new Int32Array(), ids, { skipSpecialTokens })
    expect(of(false).join('')).toBe(`a${'<|endoftext|>'.repeat(5)}b`)
    expect(of(true)).toEqual(['a', '', '', '', '', '', 'b'])
  })

  it('gives up on bytes that are no character', () => {
    const [half] = tokenizer.encode('🙂')
    const said = tokenTexts(tokenizer, new Int32Array(), new Int32Array(9).fill(half), { skipSpecialTokens: true })
    expect(said.join('')).toBe('\ufffd'.repeat(9))
  })

  test.prop([fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 24 })])(
    'all texts together are the text',
    (before, text) => {
      const [start, ids] = [tokenizer.encode(before), tokenizer.encode(text)]
      const options = { skipSpecialTokens: true }
      const said = tokenTexts(tokenizer, start, ids, options)
      expect(said).toHaveLength(ids.length)
      expect(said.join('')).toBe(tokenizer.decodeAfter(start, ids, options))
    },
  )
})

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))

describe.skipIf(!existsSync(data))('tokenizers of ../shared/data (skipped where the folder is absent)', () => {
  it.each(['tok-gpt2', 'tok-smollm2', 'tok-tiny-bpe', 'tinystories-656k'])(
    '%s: all texts together are the text',
    async (name) => {
      const real = createTokenizer(await loadTokenizerFiles(data + name))
      const [before, text] = [
        real.encode('Once upon a time'),
        real.encode(' there was a cat.\nIt sat.\n\n"No!" it said.'),
      ]
      const said = tokenTexts(real, before, text, { skipSpecialTokens: true })
      expect(said.join('')).toBe(real.decodeAfter(before, text, { skipSpecialTokens: true }))
    },
  )
})
