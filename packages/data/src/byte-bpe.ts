import { CollimateError } from '@collimate/core'
import type { TokenizerFiles } from '@collimate/core'
import { BYTE_CHARACTERS, GPT2_WORDS, byteLevelTokenizer } from './byte-level.js'
import { tokenizerFiles } from './tokenizer-files.js'

export interface ByteBpeOptions {
  /** Tokens in all: special tokens, 256 bytes and merges; fewer where the texts run out of pairs. 256 + special tokens: bytes only. */
  readonly vocabularySize: number
  /** Ends every text and completion; default `<|endoftext|>`, token 0. */
  readonly endOfText?: string
  /** Further special tokens, such as the marks of a chat template. */
  readonly specialTokens?: readonly string[]
  readonly chatTemplate?: string
}

/**
 * Trains a byte-level BPE (Sennrich et al., arXiv 1508.07909; on bytes as in GPT-2): the most frequent pair of neighbouring
 * tokens within words is merged first, the pair with the smaller ids where two are equally frequent, so the same texts
 * always give the same tokenizer, the one that the Hugging Face trainer gives. Every text can be encoded.
 * COLLIMATE_VOCABULARY_TOO_SMALL below 256 + special tokens.
 */
export function trainByteBpe(texts: Iterable<string>, options: ByteBpeOptions): TokenizerFiles {
  const endOfText = options.endOfText ?? '<|endoftext|>'
  const specials = [...new Set([endOfText, ...(options.specialTokens ?? [])])]
  const least = 256 + specials.length
  if (!Number.isInteger(options.vocabularySize) || options.vocabularySize < least) {
    throw new CollimateError(
      'COLLIMATE_VOCABULARY_TOO_SMALL',
      `a vocabulary of ${options.vocabularySize} tokens is too small`,
      {
        hint: `256 bytes and ${specials.length} special tokens need ${least}`,
      },
    )
  }
  const tokens = [...specials, ...[...BYTE_CHARACTERS].sort()]
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  const byteIds = BYTE_CHARACTERS.map((character) => idOf.get(character) as number)
  const merges = learnMerges(countWords(texts, byteIds), tokens, options.vocabularySize)
  return tokenizerFiles({
    tokenizer: byteLevelTokenizer({
      vocabulary: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => `${tokens[left]} ${tokens[right]}`),
      specialTokens: specials.map((text, id) => ({ text, id })),
      addPrefixSpace: false,
    }),
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      eos_token: endOfText,
      pad_token: endOfText,
    },
    chatTemplate: options.chatTemplate,
  })
}

interface Word {
  ids: number[]
  readonly count: number
}

function countWords(texts: Iterable<string>, byteIds: readonly number[]): Word[] {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const [word] of text.matchAll(GPT2_WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const encoder = new TextEncoder()
  return [...counts].map(([word, count]) => ({
    ids: Array.from(encoder.encode(word), (byte) => byteIds[byte]),
    count,
  }))
}

/** Appends merged tokens to `tokens` until there are `size`, and returns the pairs that were merged, in order. */
function learnMerges(words: readonly Word[], tokens: string[], size: number): [number, number][] {
  // A pair as one number, ordered as the pair is.
  const key = (left: number, right: number): number => left * size + right
  const counts = new Map<number, number>()
  const wordsWith = new Map<number, Set<Word>>()
  const count = (word: Word, sign: 1 | -1): void => {
    for (let at = 0; at + 1 < word.ids.length; at++) {
      const pair = key(word.ids[at], word.ids[at + 1])
      const left = (counts.get(pair) ?? 0) + sign * word.count
      if (left > 0) counts.set(pair, left)
      else counts.delete(pair)
      if (sign === 1) wordsWith.set(pair, (wordsWith.get(pair) ?? new Set()).add(word))
    }
  }
  for (const word of words) count(word, 1)
  const merges: [number, number][] = []
  while (tokens.length < size && counts.size > 0) {
    let best = -1
    let most = 0
    for (const [pair, frequency] of counts) {
      if (frequency > most || (frequency === most && pair < best)) {
        best = pair
        most = frequency
      }
    }
    const [left, right] = [Math.floor(best / size), best % size]
    const merged = tokens.length
    tokens.push(`${tokens[left]}${tokens[right]}`)
    merges.push([left, right])
    for (const word of wordsWith.get(best) ?? []) {
      count(word, -1)
      word.ids = merge(word.ids, left, right, merged)
      count(word, 1)
    }
    wordsWith.delete(best)
  }
  return merges
}

function merge(ids: readonly number[], left: number, right: number, merged: number): number[] {
  const result: number[] = []
  for (let at = 0; at < ids.length; at++) {
    if (ids[at] === left && ids[at + 1] === right) {
      result.push(merged)
      at += 1
    } else result.push(ids[at])
  }
  return result
}
