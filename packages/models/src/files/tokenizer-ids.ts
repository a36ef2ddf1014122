import type { TokenizerFiles } from '@collimate/core'
import { isJsonObject } from '../json-object.js'

/** Ids by token: the model's vocabulary (an object, or for Unigram a list) and the added tokens. */
export function tokenIds({ tokenizer }: Pick<TokenizerFiles, 'tokenizer'>): ReadonlyMap<string, number> {
  const ids = new Map<string, number>()
  const vocabulary = isJsonObject(tokenizer['model']) ? tokenizer['model']['vocab'] : undefined
  if (Array.isArray(vocabulary)) vocabulary.forEach((entry: unknown, id) => ids.set(String([entry].flat()[0]), id))
  else if (isJsonObject(vocabulary))
    for (const [token, id] of Object.entries(vocabulary)) if (typeof id === 'number') ids.set(token, id)
  const added: readonly unknown[] = Array.isArray(tokenizer['added_tokens']) ? tokenizer['added_tokens'] : []
  for (const token of added)
    if (isJsonObject(token) && typeof token['content'] === 'string' && typeof token['id'] === 'number')
      ids.set(token['content'], token['id'])
  return ids
}

/** Id of a special token (`bos_token`, `eos_token`, `pad_token`) of tokenizer_config.json; undefined where there is none. */
export function specialTokenId(
  files: TokenizerFiles,
  field: 'bos_token' | 'eos_token' | 'pad_token',
): number | undefined {
  const token = files.config[field]
  const content = isJsonObject(token) ? token['content'] : token
  return typeof content === 'string' ? tokenIds(files).get(content) : undefined
}
