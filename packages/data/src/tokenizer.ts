import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { CollimateError } from '@collimate/core'
import type { TokenizerFiles } from '@collimate/core'
import { asRustReads } from './as-rust-reads.js'
import { mergePairs } from './merge-pairs.js'
import { specialTokenText } from './tokenizer-files.js'

/** A special token as text and id. */
export interface SpecialToken {
  readonly text: string
  readonly id: number
}

/** Text to token ids and back. */
export interface Tokenizer {
  /** One more than the highest token id. */
  readonly vocabularySize: number
  /** Tokens with a role; absent where the tokenizer has none. */
  readonly bosToken?: SpecialToken
  readonly eosToken?: SpecialToken
  readonly padToken?: SpecialToken
  /** Named tokens (`bos_token`, `eos_token`, ...) as chat templates see them. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** The chat template of the configuration, if it has one. */
  readonly chatTemplate?: string
  /**
   * The ids of a text; special tokens written in it are recognised. `beginning`: put the tokens before it that the
   * tokenizer puts before a text (a beginning-of-sequence token, mostly), unless the text begins with them itself.
   */
  encode(text: string, options?: { beginning?: boolean }): Int32Array
  /** The text of ids. `skipSpecialTokens` leaves special tokens out. COLLIMATE_TOKEN_UNKNOWN for ids outside the vocabulary. */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string
  /** The text that ids add behind others; tokenizers that drop a leading space at the beginning of a text keep it here. */
  decodeAfter(before: ArrayLike<number>, ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string
  /** The id of a token; undefined where the vocabulary lacks it. */
  id(token: string): number | undefined
}

/** What is used of the library, whose own type declarations do not resolve under `nodenext`. */
interface LibraryTokenizer {
  readonly model: {
    bpe?: (word: string) => string[]
    end_of_word_suffix?: unknown
    continuing_subword_suffix?: unknown
  }
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: number[] }
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string
  token_to_id(token: string): number | undefined
  id_to_token(id: number): string | undefined
  get_vocab(): ReadonlyMap<string, number>
}

const made = new WeakMap<TokenizerFiles, Tokenizer>()

/**
 * Makes a tokenizer of a model's tokenizer files, once for the same files object. COLLIMATE_TOKENIZER_INVALID where they
 * cannot be used.
 */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const tokenizer = made.get(files) ?? newTokenizer(files)
  made.set(files, tokenizer)
  return tokenizer
}

function newTokenizer(files: TokenizerFiles): Tokenizer {
  const inner = build(files)
  const named = Object.entries(files.config)
    .filter(([key]) => key.endsWith('_token'))
    .flatMap(([key, value]) => {
      const text = specialTokenText(value)
      return text === undefined ? [] : [[key, text] as const]
    })
  const special = (key: string): SpecialToken | undefined => {
    const text = named.find(([name]) => name === key)?.[1]
    const id = text === undefined ? undefined : inner.token_to_id(text)
    return text === undefined || id === undefined ? undefined : { text, id }
  }
  const bare = (text: string): number[] => inner.encode(text, { add_special_tokens: false }).ids
  const beginning = beginningOf(inner)
  const vocabulary = inner.get_vocab()
  let vocabularySize = 0
  for (const id of vocabulary.values()) vocabularySize = Math.max(vocabularySize, id + 1)

  const decode: Tokenizer['decode'] = (ids, options) => {
    if (ids.length === 0) return ''
    const list = Array.from(ids)
    const unknown = list.find((id) => inner.id_to_token(id) === undefined)
    if (unknown !== undefined) {
      throw new CollimateError(
        'COLLIMATE_TOKEN_UNKNOWN',
        `token ${unknown} is not in the vocabulary of ${vocabularySize} tokens`,
        {
          hint: 'model and tokenizer do not belong together, or the model has padding rows that were sampled',
        },
      )
    }
    return inner.decode(list, {
      skip_special_tokens: options?.skipSpecialTokens ?? false,
      clean_up_tokenization_spaces: false,
    })
  }
  const bosToken = special('bos_token')
  const eosToken = special('eos_token')
  const padToken = special('pad_token')
  const chatTemplate = templateOf(files.config.chat_template)
  return {
    vocabularySize,
    ...(bosToken && { bosToken }),
    ...(eosToken && { eosToken }),
    ...(padToken && { padToken }),
    specialTokens: Object.fromEntries(named),
    ...(chatTemplate !== undefined && { chatTemplate }),
    encode(text, options) {
      const ids = bare(text)
      const given = beginning.every((id, at) => ids[at] === id)
      return Int32Array.from(options?.beginning && !given ? [...beginning, ...ids] : ids)
    },
    decode,
    decodeAfter(before, ids, options) {
      const start = decode(before, options)
      const whole = decode([...Array.from(before), ...Array.from(ids)], options)
      // Bytes of one character may stand on both sides of the border: then the ids are decoded by themselves.
      return whole.startsWith(start) ? whole.slice(start.length) : decode(ids, options)
    },
    id: (token) => inner.token_to_id(token),
  }
}

function build(files: TokenizerFiles): LibraryTokenizer {
  try {
    const tokenizer = new HuggingFaceTokenizer(asRustReads(files.tokenizer), files.config) as LibraryTokenizer
    mergeFaster(tokenizer, files)
    return tokenizer
  } catch (cause) {
    throw new CollimateError(
      'COLLIMATE_TOKENIZER_INVALID',
      `the tokenizer files cannot be used: ${(cause as Error).message}`,
      {
        hint: 'tokenizer.json must be one that the Hugging Face tokenizers library wrote',
        cause,
      },
    )
  }
}

/** Gives a BPE our own merging, unless it has suffixes: those are the library's. */
function mergeFaster({ model }: LibraryTokenizer, { tokenizer }: TokenizerFiles): void {
  const { type, vocab, merges } = tokenizer.model as { type: unknown; vocab: Record<string, number>; merges: string[] }
  if (type === 'BPE' && !model.end_of_word_suffix && !model.continuing_subword_suffix)
    model.bpe = mergePairs(vocab, merges)
}

/** What the post-processor puts before a text, found by trying. */
function beginningOf(inner: LibraryTokenizer): readonly number[] {
  const bare = inner.encode('a', { add_special_tokens: false }).ids
  const full = inner.encode('a', { add_special_tokens: true }).ids
  for (let start = 0; start + bare.length <= full.length; start++) {
    if (bare.every((id, at) => full[start + at] === id)) return full.slice(0, start)
  }
  return []
}

/** One template, or the one called `default` of several. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const found = (value as { name?: unknown; template?: unknown }[]).find((entry) => entry?.name === 'default')?.template
  return typeof found === 'string' ? found : undefined
}
