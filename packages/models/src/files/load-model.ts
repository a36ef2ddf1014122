import { CollimateError, type HostTensor } from '@collimate/core'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasScalarHead, scoreWeight } from '../architectures/model-head.js'
import { architectureOf } from '../architectures/registry.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { readError } from './file-errors.js'
import { newScalarHead } from './initialise.js'
import { readJsonObject, readOptionalJsonObject } from './json.js'
import type { ModelFiles } from './model-files.js'
import { nameWeights } from './name-weights.js'
import { readSafetensors } from './safetensors.js'
import { headOf, storedHead, valueHeadFile, type WantedHead } from './stored-head.js'
import { readTokenizerFiles } from './tokenizer-files.js'

/**
 * Loads a Hugging Face model folder: config.json; model.safetensors, or shards with model.safetensors.index.json;
 * generation_config.json and the tokenizer's files where they are; the scalar head of a model that is no
 * sequence-classification model from value_head.safetensors, or a new one where there is none.
 *
 * @param options.head the heads that are wanted; default `auto`: what `architectures` in config.json says
 * @param options.seed of a new scalar head, default 0
 * @throws CollimateError COLLIMATE_FILE_MISSING, COLLIMATE_JSON_INVALID, COLLIMATE_MODEL_TYPE_UNKNOWN,
 *   COLLIMATE_MODEL_CONFIG_INVALID, COLLIMATE_MODEL_UNSUPPORTED, COLLIMATE_MODEL_WEIGHTS_MISSING,
 *   COLLIMATE_MODEL_WEIGHTS_INVALID, COLLIMATE_SAFETENSORS_INVALID, COLLIMATE_HEAD_MISSING; each names the file
 */
export async function loadModel(
  folder: string,
  options: { readonly head?: WantedHead; readonly seed?: number } = {},
): Promise<ModelFiles> {
  await requireFolder(folder)
  const configFile = join(folder, 'config.json')
  const rawConfig = await readJsonObject(configFile)
  const architecture = architectureOf(rawConfig, configFile)
  const config = architecture.parse(rawConfig, configFile)
  const stored = storedHead(rawConfig, architecture, configFile)
  const head = headOf(options.head ?? 'auto', stored, configFile)
  const generationFile = join(folder, 'generation_config.json')
  const generationConfig = await readOptionalJsonObject(generationFile)
  const eosTokens =
    tokenIds(generationConfig, 'eos_token_id', generationFile) ?? tokenIds(rawConfig, 'eos_token_id', configFile) ?? []
  const bosToken =
    tokenIds(generationConfig, 'bos_token_id', generationFile)?.[0] ??
    tokenIds(rawConfig, 'bos_token_id', configFile)?.[0]
  const tokenizer = await readTokenizerFiles(folder)
  const scalar =
    stored === 'language' && hasScalarHead(head)
      ? ((await readValueHead(folder)) ?? newScalarHead(config, options.seed ?? 0))
      : undefined
  const named = nameWeights(
    folder,
    { architecture, config, head },
    { ...(await readWeights(folder)), ...(scalar && { [scoreWeight]: scalar }) },
  )
  return {
    architecture,
    config,
    head,
    rawConfig,
    ...named,
    eosTokens,
    ...(bosToken === undefined ? {} : { bosToken }),
    ...(tokenizer ? { tokenizer } : {}),
    ...(generationConfig ? { generationConfig } : {}),
  }
}

async function requireFolder(folder: string): Promise<void> {
  const info = await stat(folder).catch((error: unknown) => {
    throw readError(folder, error)
  })
  if (info.isDirectory()) return
  throw new CollimateError('COLLIMATE_FILE_MISSING', `${folder} is not a folder`, {
    hint: 'a model is a folder with config.json and model.safetensors',
  })
}

/** The value head beside a causal model; undefined where there is none. */
async function readValueHead(folder: string): Promise<HostTensor | undefined> {
  const file = join(folder, valueHeadFile)
  if (!(await exists(file))) return undefined
  const { tensors } = await readSafetensors(file)
  const { [scoreWeight]: head } = tensors
  if (head !== undefined) return head
  throw new CollimateError('COLLIMATE_MODEL_WEIGHTS_MISSING', `${file}: weight "${scoreWeight}" is missing`, {
    hint: 'it is written by a policy with head `language+score`; remove the file for a new head',
  })
}

/** Weights under their stored names. */
async function readWeights(folder: string): Promise<Record<string, HostTensor>> {
  const single = join(folder, 'model.safetensors')
  if (await exists(single)) return (await readSafetensors(single)).tensors
  const indexFile = join(folder, 'model.safetensors.index.json')
  const index = await readOptionalJsonObject(indexFile)
  if (!index) {
    throw new CollimateError(
      'COLLIMATE_MODEL_WEIGHTS_MISSING',
      `${folder} has neither model.safetensors nor model.safetensors.index.json`,
      { hint: 'save the model as safetensors; pytorch_model.bin is not read' },
    )
  }
  return readShards(folder, indexFile, index)
}

async function readShards(folder: string, indexFile: string, index: JsonObject): Promise<Record<string, HostTensor>> {
  const map = index['weight_map']
  // A shard is a file of the folder itself: an index must not reach out of it.
  const isShardName = (name: unknown): boolean => typeof name === 'string' && /^[^/\\]+\.safetensors$/.test(name)
  if (!isJsonObject(map) || !Object.values(map).every(isShardName)) {
    throw new CollimateError(
      'COLLIMATE_MODEL_WEIGHTS_INVALID',
      `${indexFile}: "weight_map" must give a .safetensors file of this folder for each weight`,
      { hint: 'copy the model again' },
    )
  }
  const weights: Record<string, HostTensor> = {}
  for (const shard of new Set(Object.values(map) as string[])) {
    Object.assign(weights, (await readSafetensors(join(folder, shard))).tensors)
  }
  const missing = Object.keys(map).find((name) => !Object.hasOwn(weights, name))
  if (missing === undefined) return weights
  throw new CollimateError(
    'COLLIMATE_MODEL_WEIGHTS_MISSING',
    `${indexFile} places "${missing}" in ${String(map[missing])}, which does not hold it`,
    { hint: 'copy the model again' },
  )
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** A field that holds one token id or a list of them; undefined where it is absent. */
function tokenIds(json: JsonObject | undefined, field: string, file: string): readonly number[] | undefined {
  const value = json?.[field] ?? undefined
  if (value === undefined) return undefined
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (ids.every((id) => Number.isSafeInteger(id))) return (ids as number[]).filter((id) => id >= 0)
  throw new CollimateError(
    'COLLIMATE_MODEL_CONFIG_INVALID',
    `${file}: "${field}" is ${JSON.stringify(value)}, it must be a token id or a list of them`,
    { hint: 'correct the field' },
  )
}
