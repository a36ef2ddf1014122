import { basename, dirname } from 'node:path'
import { CollimateError } from '@collimate/core'
import type { TokenizerFiles } from '@collimate/core'
import { createModel, loadModel, readTokenizerFiles } from '@collimate/models'
import type { ModelFiles } from '@collimate/models'
import type { Options } from './options.js'

/**
 * The model that the options name: read from its folder, or made with random weights.
 *
 * @param path resolves a path of the experiment
 * @param seed of the initial weights where the options give none
 */
export async function modelFiles(
  { model, create }: Pick<Options, 'model' | 'create'>,
  path: (relative: string) => string,
  seed: number,
): Promise<ModelFiles> {
  if (model !== undefined) return loadModel(path(model))
  if (create === undefined) throw new TypeError('options without a model passed their schema')
  const tokenizer = create.tokenizer === undefined ? undefined : await readTokenizer(path(create.tokenizer))
  return createModel({
    config: { ...(tokenizer && tokenizerSizes(tokenizer)), ...create.config },
    seed: create.seed ?? seed,
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
export function tokenizerSizes({ tokenizer, config }: TokenizerFiles): Record<string, number> {
  const ids = tokenIds(tokenizer)
  const idOf = (field: string): number | undefined => {
    const token = config[field]
    const content = isObject(token) ? token['content'] : token
    return typeof content === 'string' ? ids.get(content) : undefined
  }
  const bos = idOf('bos_token')
  const eos = idOf('eos_token')
  return {
    ...(ids.size > 0 && { vocab_size: [...ids.values()].reduce((largest, id) => Math.max(largest, id), 0) + 1 }),
    ...(bos !== undefined && { bos_token_id: bos }),
    ...(eos !== undefined && { eos_token_id: eos }),
  }
}

/** Ids by token: the model's vocabulary (an object, or for Unigram a list) and the added tokens. */
function tokenIds(tokenizer: TokenizerFiles['tokenizer']): ReadonlyMap<string, number> {
  const ids = new Map<string, number>()
  const vocabulary = isObject(tokenizer['model']) ? tokenizer['model']['vocab'] : undefined
  if (Array.isArray(vocabulary)) vocabulary.forEach((entry: unknown, id) => ids.set(String([entry].flat()[0]), id))
  else if (isObject(vocabulary))
    for (const [token, id] of Object.entries(vocabulary)) if (typeof id === 'number') ids.set(token, id)
  const added: readonly unknown[] = Array.isArray(tokenizer['added_tokens']) ? tokenizer['added_tokens'] : []
  for (const token of added)
    if (isObject(token) && typeof token['content'] === 'string' && typeof token['id'] === 'number')
      ids.set(token['content'], token['id'])
  return ids
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
