import { createTokenizer, type Tokenizer } from '@collimate/data'
import { describe, expect, test } from 'vitest'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { usualTokenizers } from './rows.js'
import { lawsOfTokenizer } from './tokenizer-suite.js'

const claims = { lossless: true }
const usual = usualTokenizers().map(({ name, files }) => ({ name, tokenizer: createTokenizer(files) }))
for (const { name, tokenizer } of usual) {
  testLaws(lawsOfTokenizer({ name: `a tokenizer that ${name}`, create: () => tokenizer, claims }), { test })
}

const [plain, begun] = usual.map(({ tokenizer }) => tokenizer)
const wrong: Record<string, { law: string; tokenizer: Tokenizer }> = {
  'texts in their composed form': {
    law: 'data/decode-encode',
    tokenizer: { ...plain, encode: (text, options) => plain.encode(text.trim(), options) },
  },
  'a space added at every decoding': {
    law: 'data/decoded-texts-stay',
    tokenizer: { ...plain, decode: (ids, options) => (ids.length === 0 ? '' : ` ${plain.decode(ids, options)}`) },
  },
  'a vocabulary that forgets its added tokens': {
    law: 'data/ids-in-the-vocabulary',
    tokenizer: { ...plain, vocabularySize: 200 },
  },
  'words that lose their space behind others': {
    law: 'data/decode-after',
    tokenizer: { ...plain, decodeAfter: (_, ids, options) => plain.decode(ids, options).trimStart() },
  },
  'special tokens that stay in the text': {
    law: 'data/special-tokens',
    tokenizer: { ...plain, decode: (ids) => plain.decode(ids) },
  },
  'two beginnings': {
    law: 'data/one-beginning',
    tokenizer: {
      ...begun,
      encode: (text, options) =>
        options?.beginning ? Int32Array.of(begun.bosToken?.id ?? 0, ...begun.encode(text)) : begun.encode(text),
    },
  },
  'unknown ids that are no text': {
    law: 'data/unknown-ids',
    tokenizer: {
      ...plain,
      decode: (ids, options) =>
        plain.decode(
          Array.from(ids).filter((id) => id >= 0 && id < plain.vocabularySize),
          options,
        ),
    },
  },
}

describe('wrong tokenizers and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (name, { law, tokenizer }) => {
    const results = await checkSuite(lawsOfTokenizer({ name, create: () => tokenizer, claims }), { seed: 3 })
    expect(results.flatMap((one) => (one.status === 'fails' ? [one.law.name] : []))).toContain(law)
  })
})
