import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CollimateError } from '@collimate/core'
import type { TokenizerFiles } from '@collimate/core'
import { parseJson } from './json-text.js'
import { byteLevelTokenizer } from './byte-level.js'

type Json = Readonly<Record<string, unknown>>

/**
 * Folds a model folder's tokenizer files as `TokenizerFiles` says: `special_tokens_map.json` fills what
 * `tokenizer_config.json` leaves out; `chat_template.jinja` stands before its `chat_template`.
 */
export function tokenizerFiles(parts: {
  tokenizer: Json
  config?: Json | undefined
  specialTokensMap?: Json | undefined
  chatTemplate?: string | undefined
}): TokenizerFiles {
  const template = parts.chatTemplate === undefined ? {} : { chat_template: parts.chatTemplate }
  return { tokenizer: parts.tokenizer, config: { ...parts.specialTokensMap, ...parts.config, ...template } }
}

/**
 * Reads the tokenizer of a model folder: `tokenizer.json`, or `vocab.json` with `merges.txt` (GPT-2's byte-level BPE), with
 * the other files where they lie. COLLIMATE_TOKENIZER_MISSING where there is neither; broken files are refused with their name.
 */
export async function loadTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const json = async (name: string): Promise<Json | undefined> => {
    const text = await readText(join(folder, name))
    if (text === undefined) return undefined
    const value = parseJson(text, join(folder, name))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
    throw new CollimateError('COLLIMATE_TOKENIZER_INVALID', `${join(folder, name)}: holds no JSON object`, {
      hint: 'copy the file anew',
    })
  }
  const [tokenizer, config, specialTokensMap, chatTemplate] = await Promise.all([
    json('tokenizer.json'),
    json('tokenizer_config.json'),
    json('special_tokens_map.json'),
    readText(join(folder, 'chat_template.jinja')),
  ])
  const [vocabulary, merges] = tokenizer
    ? []
    : await Promise.all([json('vocab.json'), readText(join(folder, 'merges.txt'))])
  const folded = tokenizerFiles({ tokenizer: tokenizer ?? {}, config, specialTokensMap, chatTemplate })
  if (tokenizer !== undefined) return folded
  if (vocabulary === undefined || merges === undefined) {
    throw new CollimateError(
      'COLLIMATE_TOKENIZER_MISSING',
      `${folder}: has neither tokenizer.json nor vocab.json with merges.txt`,
      {
        hint: 'copy the tokenizer files of the model into its folder',
      },
    )
  }
  return { ...folded, tokenizer: gpt2Tokenizer(vocabulary as Readonly<Record<string, number>>, merges, folded.config) }
}

/** The content of tokenizer.json for GPT-2's files. */
function gpt2Tokenizer(vocabulary: Readonly<Record<string, number>>, merges: string, config: Json): Json {
  const lines = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'))
  const specials = ['bos_token', 'eos_token', 'unk_token', 'pad_token'].map((key) => specialTokenText(config[key]))
  const named = ['<|endoftext|>', ...specials].filter(
    (text): text is string => text !== undefined && Object.hasOwn(vocabulary, text),
  )
  return byteLevelTokenizer({
    vocabulary,
    merges: lines,
    specialTokens: [...new Set(named)].map((text) => ({ text, id: vocabulary[text] })),
    addPrefixSpace: config.add_prefix_space === true,
  })
}

/** The text of a special token, which configurations give as a string or as an object with `content`. */
export function specialTokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const content = (value as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CollimateError('COLLIMATE_TOKENIZER_INVALID', `${file}: cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}
