import { CollimateError } from '@collimate/core'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scoreWeight } from '../architectures/model-head.js'
import { replaceFolder } from './atomic.js'
import type { ModelFiles } from './model-files.js'
import { writeSafetensors, type FloatType } from './safetensors.js'
import type { JsonObject } from '../json-object.js'
import { configText } from './config-text.js'
import { scoreConfig } from './score-config.js'
import { valueHeadFile } from './stored-head.js'
import { specialTokenId } from './tokenizer-ids.js'
import { tokenizerFileNames, writeTokenizerFiles } from './tokenizer-files.js'

/** Files of a model: those that a new one leaves without a successor are removed, since loaders would prefer or mix them. */
const isModelFile = (name: string): boolean =>
  [
    ...['config.json', 'generation_config.json', 'model.safetensors', 'model.safetensors.index.json'],
    valueHeadFile,
  ].includes(name) ||
  /^model-\d+-of-\d+\.safetensors$/.test(name) ||
  /^pytorch_model.*\.(bin|index\.json)$/.test(name) ||
  tokenizerFileNames.includes(name)

const storedTypeNames: Readonly<Record<FloatType, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }

/**
 * Writes a model folder that transformers loads: config.json, model.safetensors, generation_config.json, tokenizer files.
 * A model with the scalar head alone becomes a sequence-classification model of one label; with both heads it is a causal
 * language model whose scalar head lies in value_head.safetensors. All of it or nothing; other files of an existing folder
 * stay.
 *
 * @throws CollimateError COLLIMATE_FILE_UNWRITABLE; COLLIMATE_MODEL_WEIGHTS_MISSING where `weights` lacks a parameter
 */
export async function saveModel(folder: string, files: ModelFiles, options: { dtype?: FloatType } = {}): Promise<void> {
  const dtype = options.dtype ?? 'F32'
  const { architecture, config, head } = files
  const names = Object.keys(architecture.parameters(config, head))
  const missing = names.find((name) => !Object.hasOwn(files.weights, name))
  if (missing !== undefined) {
    throw new CollimateError('COLLIMATE_MODEL_WEIGHTS_MISSING', `weight "${missing}" of the model to save is missing`)
  }
  // Beside a scalar head, names without the prefix of the trunk would not be recognised as those of a bare trunk.
  const storedName = (name: string): string => (head === 'score' ? name : (files.storedNames?.[name] ?? name))
  const isBeside = (name: string): boolean => head === 'language+score' && name === scoreWeight
  const weights = (chosen: readonly string[]) =>
    Object.fromEntries(chosen.map((name) => [storedName(name), files.weights[name]]))
  await replaceFolder(folder, isModelFile, async (target) => {
    const main = weights(names.filter((name) => !isBeside(name)))
    await writeSafetensors(join(target, 'model.safetensors'), main, { dtype })
    if (names.some(isBeside)) await writeSafetensors(join(target, valueHeadFile), weights([scoreWeight]), { dtype })
    await writeJson(join(target, 'config.json'), withStoredType(configOf(files), storedTypeNames[dtype]))
    if (files.generationConfig) await writeJson(join(target, 'generation_config.json'), files.generationConfig)
    if (files.tokenizer) await writeTokenizerFiles(target, files.tokenizer)
  })
}

function configOf({ architecture, head, rawConfig, tokenizer, eosTokens }: ModelFiles): JsonObject {
  if (head !== 'score') return rawConfig
  const padToken = tokenizer && specialTokenId(tokenizer, 'pad_token')
  // Padding with an end token, transformers would take the token before a real one for the last.
  return scoreConfig(
    rawConfig,
    architecture,
    padToken !== undefined && eosTokens.includes(padToken) ? undefined : padToken,
  )
}

/** config.json names the type of the stored weights: `dtype`, or `torch_dtype` before transformers 5. */
function withStoredType(rawConfig: JsonObject, type: string): JsonObject {
  return { ...rawConfig, ['torch_dtype' in rawConfig ? 'torch_dtype' : 'dtype']: type }
}

const writeJson = (file: string, json: JsonObject): Promise<void> => writeFile(file, configText(json))
