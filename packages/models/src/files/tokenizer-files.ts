import type { TokenizerFiles } from '@collimate/core'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readOptionalJsonObject, readOptionalText } from './json.js'

/** Every file that a tokenizer may have left in a model folder: the ones that saving replaces or removes. */
export const tokenizerFileNames: readonly string[] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
]

/**
 * Reads the tokenizer of a model folder; undefined where there is no tokenizer.json.
 * special_tokens_map.json fills what tokenizer_config.json leaves out; chat_template.jinja stands before its `chat_template`.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles | undefined> {
  const tokenizer = await readOptionalJsonObject(join(folder, 'tokenizer.json'))
  if (!tokenizer) return undefined
  const config = await readOptionalJsonObject(join(folder, 'tokenizer_config.json'))
  const specialTokens = await readOptionalJsonObject(join(folder, 'special_tokens_map.json'))
  const template = await readOptionalText(join(folder, 'chat_template.jinja'))
  return {
    tokenizer,
    config: { ...specialTokens, ...config, ...(template === undefined ? {} : { chat_template: template }) },
  }
}

/** Writes tokenizer.json and tokenizer_config.json (which holds the special tokens and the chat template). */
export async function writeTokenizerFiles(folder: string, files: TokenizerFiles): Promise<void> {
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(files.tokenizer))
  await writeFile(join(folder, 'tokenizer_config.json'), `${JSON.stringify(files.config, null, 2)}\n`)
}
