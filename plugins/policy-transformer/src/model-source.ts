import { basename, dirname } from 'node:path'
import { CollimateError } from '@collimate/core'
import type { TokenizerFiles } from '@collimate/core'
import { createModel, loadModel, readTokenizerFiles, specialTokenId, tokenIds } from '@collimate/models'
import type { ModelFiles } from '@collimate/models'
import type { Options } from './options.js'

/**
 * The model that the options name: read from its folder, or made with random weights.
 *
 * @param path resolves a path of the experiment
 * @param seed of the initial weights where the options give none, and of a new scalar head
 */
export async function modelFiles(
  { model, create, head = 'auto' }: Pick<Options, 'model' | 'create'> & Partial<Pick<Options, 'head'>>,
  path: (relative: string) => string,
  seed: number,
): Promise<ModelFiles> {
  if (model !== undefined) return loadModel(path(model), { head, seed })
  if (create === undefined) throw new TypeError('options without a model passed their schema')
  const tokenizer = create.tokenizer === undefined ? undefined : await readTokenizer(path(create.tokenizer))
  return createModel({
    config: { ...(tokenizer && tokenizerSizes(tokenizer)), ...create.config },
    seed: create.seed ?? seed,
    head,
    ...(tokenizer && { tokenizer }),
  })
}

async function readTokenizer(path: string): Promise<TokenizerFiles> {
  const folder = basename(path) === 'tokenizer.json' ? dirname(path) : path
  const files = await readTokenizerFiles(folder)
  if (files !== undefined) return files
  throw new CollimateError('COLLIMATE_FILE_MISSING', `${folder} has no tokenizer.json`, {
    hint: 'create.tokenizer names a folder with a tokenizer.json, or that file.',
  })
}

/** What a config.json says of its tokenizer: size of the vocabulary and the ids of the special tokens, where they are known. */
export function tokenizerSizes(files: TokenizerFiles): Record<string, number> {
  const ids = tokenIds(files)
  const bos = specialTokenId(files, 'bos_token')
  const eos = specialTokenId(files, 'eos_token')
  return {
    ...(ids.size > 0 && { vocab_size: [...ids.values()].reduce((largest, id) => Math.max(largest, id), 0) + 1 }),
    ...(bos !== undefined && { bos_token_id: bos }),
    ...(eos !== undefined && { eos_token_id: eos }),
  }
}
