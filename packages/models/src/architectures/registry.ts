import { CollimateError } from '@collimate/core'
import type { Architecture } from './architecture.js'
import { gpt2 } from './gpt2.js'
import { llama } from './llama.js'

/** Known architectures by `model_type`. */
export const architectures: Readonly<Record<string, Architecture>> = { llama, gpt2 }

/**
 * The architecture that a configuration names.
 *
 * @throws CollimateError COLLIMATE_MODEL_TYPE_UNKNOWN listing the known types
 */
export function architectureOf(json: Readonly<Record<string, unknown>>, source = 'config.json'): Architecture {
  const type = json['model_type']
  if (typeof type === 'string' && Object.hasOwn(architectures, type)) return architectures[type]
  const known = Object.keys(architectures).join(', ')
  throw new CollimateError(
    'COLLIMATE_MODEL_TYPE_UNKNOWN',
    type === undefined
      ? `${source}: "model_type" is missing; known: ${known}`
      : `${source}: model_type ${JSON.stringify(type)} is unknown; known: ${known}`,
    { hint: 'choose a model of a known type' },
  )
}
