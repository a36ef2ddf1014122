import { CollimateError, type HostTensor } from '@collimate/core'
import { hasLanguageHead } from '../architectures/model-head.js'
import type { ModelFiles } from './model-files.js'

type Named = Pick<ModelFiles, 'weights' | 'storedNames'>

/**
 * Brings stored names to the architecture's: checkpoints of the bare base model lack its prefix, tied heads may be stored
 * under the head's name; buffers of older versions, and a language head that the model does not have, are left out. Checks
 * that every parameter is there with its shape.
 *
 * @throws CollimateError COLLIMATE_MODEL_WEIGHTS_MISSING or COLLIMATE_MODEL_WEIGHTS_INVALID, naming folder and tensor
 */
export function nameWeights(
  folder: string,
  { architecture, config, head: heads }: Pick<ModelFiles, 'architecture' | 'config' | 'head'>,
  stored: Readonly<Record<string, HostTensor>>,
): Named {
  const parameters = architecture.parameters(config, heads)
  const weights: Record<string, HostTensor> = {}
  const storedNames: Record<string, string> = {}
  let head: HostTensor | undefined
  for (const [name, tensor] of Object.entries(stored)) {
    const canonical = Object.hasOwn(parameters, name) ? name : `${architecture.prefix}${name}`
    if (Object.hasOwn(parameters, canonical)) {
      weights[canonical] = tensor
      if (canonical !== name) storedNames[canonical] = name
    } else if (name === 'lm_head.weight' && (config.tied || !hasLanguageHead(heads))) head = tensor
    else if (!architecture.isBuffer(name)) throw unknownTensor(folder, name)
  }
  // A head that is tied and nobody reads may still be the only place where the embedding is stored.
  const reads = hasLanguageHead(heads) || !Object.hasOwn(weights, architecture.embedding)
  if (head && config.tied && reads) tieHead(folder, architecture.embedding, head, weights)
  const parameterNames = Object.keys(parameters)
  const missing = parameterNames.filter((name) => !Object.hasOwn(weights, name))
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : ''
    throw new CollimateError('COLLIMATE_MODEL_WEIGHTS_MISSING', `${folder}: weight "${missing[0]}"${more} is missing`, {
      hint: 'config.json and weights must belong to the same model',
    })
  }
  for (const name of parameterNames) checkShape(folder, name, weights[name], parameters[name].shape)
  const ordered = Object.fromEntries(parameterNames.map((name) => [name, weights[name]]))
  return Object.keys(storedNames).length > 0 ? { weights: ordered, storedNames } : { weights: ordered }
}

/** A tied head that is stored: it is the embedding, or says the same. */
function tieHead(folder: string, embedding: string, head: HostTensor, weights: Record<string, HostTensor>): void {
  const own = (weights[embedding] ??= head)
  if (own.data.length === head.data.length && own.data.every((value, i) => Object.is(value, head.data[i]))) return
  throw new CollimateError(
    'COLLIMATE_MODEL_WEIGHTS_INVALID',
    `${folder}: config.json ties the head to the embedding, but lm_head.weight and ${embedding} differ`,
    { hint: 'set "tie_word_embeddings": false in config.json if the head is a matrix of its own' },
  )
}

function unknownTensor(folder: string, name: string): CollimateError {
  return new CollimateError(
    'COLLIMATE_MODEL_WEIGHTS_INVALID',
    `${folder}: weight "${name}" does not belong to the model that config.json describes`,
    { hint: 'config.json and weights must belong to the same model' },
  )
}

function checkShape(folder: string, name: string, tensor: HostTensor, shape: readonly number[]): void {
  if (tensor.dtype === 'float' && tensor.shape.join() === shape.join()) return
  const found = `${tensor.dtype} [${tensor.shape.join(', ')}]`
  throw new CollimateError(
    'COLLIMATE_MODEL_WEIGHTS_INVALID',
    `${folder}: weight "${name}" is ${found}, config.json asks for float [${shape.join(', ')}]`,
    { hint: 'config.json and weights must belong to the same model' },
  )
}
