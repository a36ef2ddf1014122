import { Tokenizer } from '@huggingface/tokenizers'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { trainByteBpe } from './byte-bpe.js'
import { mergePairs } from './merge-pairs.js'

interface Model {
  type: string
  vocab: Record<string, number>
  merges: string[]
}

describe('mergePairs', () => {
  const texts = ['aaaa abab baba abcabc', 'aabb bbaa abba baab cab']
  const files = trainByteBpe(texts, { vocabularySize: 300 })
  const { vocab, merges } = files.tokenizer.model as Model
  const ours = mergePairs(vocab, merges)
  const library = new Tokenizer(files.tokenizer, files.config).model as { bpe(word: string): string[] }

  test.prop(
    [fc.array(fc.constantFrom('a', 'b', 'c', 'Ġ', '本', '😀'), { maxLength: 60 }).map((list) => list.join(''))],
    { numRuns: 500 },
  )("gives the library's tokens", (word) => {
    expect(ours(word)).toEqual(library.bpe(word))
    expect(ours(word).join('')).toBe(word)
  })

  it('takes pairs in either spelling of tokenizer.json', () => {
    const lists = merges.map((merge) => merge.split(' '))
    expect(mergePairs(vocab, lists)('abcabcaabb')).toEqual(ours('abcabcaabb'))
  })
})
