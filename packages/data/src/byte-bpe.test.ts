import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { trainByteBpe } from './byte-bpe.js'
import { createTokenizer } from './tokenizer.js'

const CORPUS = ['low lower lowest', 'new newer newest', 'wide wider widest', 'low low new wide']

interface Bpe {
  model: { vocab: Record<string, number>; merges: string[] }
}
const model = (vocabularySize: number, texts = CORPUS) =>
  (trainByteBpe(texts, { vocabularySize }).tokenizer as unknown as Bpe).model

describe('trainByteBpe', () => {
  it('merges the most frequent pair first, the smaller ids where two are equal', () => {
    // The merges of the Hugging Face library's trainer for these texts.
    expect(model(265).merges).toEqual(['l o', 'lo w', 'd e', 'e w', 'i de', 'n ew', 'w ide', 's t'])
  })

  it('is bytes alone at 256 and the special tokens, and stops where no pairs are left', () => {
    const bytes = createTokenizer(trainByteBpe([], { vocabularySize: 257 }))
    expect(bytes.vocabularySize).toBe(257)
    expect(bytes.encode('é').length).toBe(2)
    expect(Object.keys(model(5000, ['ab ab'])['vocab']).length).toBeLessThan(265)
  })

  it('refuses a vocabulary without room for the bytes', () => {
    expect(() => trainByteBpe([], { vocabularySize: 256 })).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_VOCABULARY_TOO_SMALL' }),
    )
  })

  test.prop([
    fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 20 }),
    fc.string({ unit: 'grapheme' }),
    fc.nat(60),
  ])('encodes every text, gives it back, and never with more tokens than bytes', (texts, text, merges) => {
    const files = trainByteBpe(texts, { vocabularySize: 257 + merges })
    expect(trainByteBpe(texts, { vocabularySize: 257 + merges })).toEqual(files)
    const tokenizer = createTokenizer(files)
    for (const one of [...texts, text]) {
      const ids = tokenizer.encode(one)
      expect(tokenizer.decode(ids)).toBe(one)
      expect(ids.length).toBeLessThanOrEqual(Buffer.byteLength(one))
    }
  })
})
