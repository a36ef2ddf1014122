import { expect, test } from 'vitest'
import { trainByteBpe } from './byte-bpe.js'
import { requireSameTokens } from './same-tokens.js'

const files = trainByteBpe(['so many words in so many texts'], { vocabularySize: 280 })
const words = { what: 'the model', hint: 'take another' }

test('an id must stand for the same token, however texts are split', () => {
  const split = structuredClone(files)
  ;(split.tokenizer.model as { merges: unknown }).merges = []
  expect(() => requireSameTokens(files, split, words)).not.toThrow()
  expect(() => requireSameTokens(files, files, words)).not.toThrow()
})

test('the first id that differs is named', () => {
  const other = trainByteBpe(['another text'], { vocabularySize: 280 })
  expect(() => requireSameTokens(files, other, words)).toThrow(
    expect.objectContaining({
      code: 'COLLIMATE_REWARD_TOKENIZER_DIFFERS',
      message: expect.stringMatching(
        /^the model has another tokenizer than the policy: id \d+ is ".*" to the policy and ".*" to it/,
      ),
      hint: 'take another',
    }),
  )
})

test('a list of pairs, as of unigram models, is a vocabulary too', () => {
  const unigram = (...tokens: string[]) => ({
    tokenizer: { model: { vocab: tokens.map((token) => [token, -1]) }, added_tokens: [] },
  })
  expect(() => requireSameTokens(unigram('a', 'b'), unigram('a', 'b'), words)).not.toThrow()
  expect(() => requireSameTokens(unigram('a', 'b'), unigram('a'), words)).toThrow(
    /id 1 is "b" to the policy and nothing to it/,
  )
})
