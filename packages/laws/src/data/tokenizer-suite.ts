import type { Tokenizer } from '@collimate/data'
import type { Arbitrary } from 'fast-check'
import fc from 'fast-check'
import { law, type Law, require } from '../law.js'
import { refused } from '../refused.js'
import { shared } from '../shared.js'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { shownIds, text } from './rows.js'

export interface TokenizerLawsOptions {
  readonly name: string
  create(): Tokenizer | Promise<Tokenizer>
  /** Texts to try; default: words, spaces, line ends and any characters of Unicode. */
  readonly texts?: Arbitrary<string>
  /** `lossless`: every text comes back as it was. */
  readonly claims?: Claims
}

/** What a tokenizer must fulfil. */
export function lawsOfTokenizer({ name, create, texts = text, claims = {} }: TokenizerLawsOptions): LawSuite {
  const { get } = shared(create)
  return suiteOf({
    contract: 'data',
    subject: name,
    claims,
    laws: [
      lossless(get, texts),
      fixedPoint(get, texts),
      inVocabulary(get, texts),
      decodeAfter(get, texts),
      special(get, texts),
      beginning(get, texts),
      unknown(get),
    ],
  })
}

type Get = () => Promise<Tokenizer>
type Texts = Arbitrary<string>
const source = 'trl#2054, trl#1640, axolotl#1616: what is trained on is not what was written'
const shown = (value: string): string => JSON.stringify(value)

function lossless(get: Get, texts: Texts): Law {
  return law({
    name: 'data/decode-encode',
    statement: 'Decoding the ids of a text gives the text',
    formula: 'decode(encode(s)) = s',
    source,
    capability: 'lossless',
    arbitrary: texts,
    show: shown,
    holds: async (value) => {
      const tokenizer = await get()
      const found = tokenizer.decode(tokenizer.encode(value))
      require(found === value, `${shownIds(tokenizer.encode(value))} decodes to ${shown(found)}`)
    },
  })
}

function fixedPoint(get: Get, texts: Texts): Law {
  return law({
    name: 'data/decoded-texts-stay',
    statement: 'A text that was decoded comes back as it is when it is encoded and decoded again',
    formula: 't = decode(encode(s)): decode(encode(t)) = t',
    source,
    arbitrary: texts,
    show: shown,
    holds: async (value) => {
      const tokenizer = await get()
      const once = tokenizer.decode(tokenizer.encode(value))
      const twice = tokenizer.decode(tokenizer.encode(once))
      require(twice === once, `it decodes to ${shown(once)}, and that to ${shown(twice)}`)
    },
  })
}

function inVocabulary(get: Get, texts: Texts): Law {
  return law({
    name: 'data/ids-in-the-vocabulary',
    statement: 'Every id is a token of the vocabulary, and no text has no ids',
    formula: 'encode(s)_t ∈ {0, ..., V − 1}; encode("") = [], decode([]) = ""',
    source,
    arbitrary: texts,
    show: shown,
    holds: async (value) => {
      const tokenizer = await get()
      const ids = tokenizer.encode(value)
      const wrong = ids.find((id) => id < 0 || id >= tokenizer.vocabularySize)
      require(wrong === undefined, `id ${wrong} of a vocabulary of ${tokenizer.vocabularySize}`)
      require(tokenizer.encode('').length === 0, `no text has the ids ${shownIds(tokenizer.encode(''))}`)
      require(tokenizer.decode([]) === '', `no ids decode to ${shown(tokenizer.decode([]))}`)
    },
  })
}

function decodeAfter(get: Get, texts: Texts): Law {
  return law({
    name: 'data/decode-after',
    statement:
      'The text before a place and the text that the ids behind it add are the whole text, wherever a character ends',
    formula: 'decode(a) + decodeAfter(a, b) = decode(a b)',
    source: 'packages/data/src/tokenizer.ts: leading spaces that tokenizers drop at the beginning of a text',
    arbitrary: texts,
    show: shown,
    holds: async (value) => {
      const tokenizer = await get()
      const ids = tokenizer.encode(value)
      const all = tokenizer.decode(ids)
      for (let at = 0; at <= ids.length; at++) {
        const [before, after] = [ids.slice(0, at), ids.slice(at)]
        const start = tokenizer.decode(before)
        // A character may lie on both sides of the border.
        if (!all.startsWith(start)) continue
        const found = start + tokenizer.decodeAfter(before, after)
        require(found === all, `cut behind ${at} ids it is ${shown(found)}, whole it is ${shown(all)}`)
      }
    },
  })
}

function special(get: Get, texts: Texts): Law {
  return law({
    name: 'data/special-tokens',
    statement: 'A special token written in a text is its one id, and is left out of the text where that is asked for',
    formula: 'encode("<eos>") = [EOS]; decode(encode(s) EOS, skip special) = decode(encode(s))',
    source,
    arbitrary: texts,
    show: shown,
    holds: async (value) => {
      const tokenizer = await get()
      const ids = tokenizer.encode(value)
      const plain = tokenizer.decode(ids, { skipSpecialTokens: true })
      for (const token of [tokenizer.bosToken, tokenizer.eosToken, tokenizer.padToken]) {
        if (!token) continue
        const alone = tokenizer.encode(token.text)
        require(alone.length === 1 && alone[0] === token.id, `${token.text} is ${shownIds(alone)}, not ${token.id}`)
        require(tokenizer.id(token.text) ===
          token.id, `id(${token.text}) is ${tokenizer.id(token.text)}, not ${token.id}`)
        const found = tokenizer.decode([...ids, token.id], { skipSpecialTokens: true })
        require(found === plain, `with ${token.text} behind it decodes to ${shown(found)}, without to ${shown(plain)}`)
      }
    },
  })
}

function beginning(get: Get, texts: Texts): Law {
  return law({
    name: 'data/one-beginning',
    statement: 'The tokens that begin a text stand before it once, also where the text is written with them',
    formula: 'encode(s, beginning) = B encode(s); encode("<bos>" + s, beginning) has one BOS',
    source: 'axolotl#1616, trl#1591, sglang#888: double BOS',
    arbitrary: texts,
    show: shown,
    holds: async (value) => {
      const tokenizer = await get()
      const [plain, begun] = [tokenizer.encode(value), tokenizer.encode(value, { beginning: true })]
      const tail = begun.slice(begun.length - plain.length)
      require(shownIds(tail) === shownIds(plain), `${shownIds(begun)} does not end with ${shownIds(plain)}`)
      const first = tokenizer.bosToken
      if (!first || !begun.includes(first.id)) return
      const written = tokenizer.encode(first.text + value, { beginning: true })
      const count = written.filter((id) => id === first.id).length
      require(count === 1 && written[0] === first.id, `written with ${first.text} it is ${shownIds(written)}`)
    },
  })
}

function unknown(get: Get): Law {
  return law({
    name: 'data/unknown-ids',
    statement: 'Ids outside of the vocabulary are refused, not decoded to something',
    formula: 'decode([V + k]), decode([−1]): COLLIMATE_TOKEN_UNKNOWN',
    source: 'packages/data/src/tokenizer.ts: padding rows of an embedding that were sampled',
    cost: 5,
    arbitrary: fc.nat(1000),
    show: (beyond) => `id V + ${beyond}`,
    holds: async (beyond) => {
      const tokenizer = await get()
      for (const id of [tokenizer.vocabularySize + beyond, -1]) {
        await refused(`decoding ${id}`, () => tokenizer.decode([id]), 'COLLIMATE_TOKEN_UNKNOWN')
      }
    },
  })
}
