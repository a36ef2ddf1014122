import { normal, stream, type HostTensor, type TokenizerFiles } from '@collimate/core'
import type { Parameter } from '../architectures/architecture.js'
import { architectureOf } from '../architectures/registry.js'
import type { JsonObject } from '../json-object.js'
import type { ModelFiles } from './model-files.js'

export interface NewModel {
  /** Content of a config.json. */
  readonly config: JsonObject
  readonly seed: number
  readonly tokenizer?: TokenizerFiles
}

/**
 * A model with random weights, distributed as transformers initialises them; the same seed gives the same weights.
 *
 * @throws CollimateError as `Architecture.parse` and `architectureOf`
 */
export function createModel({ config: rawConfig, seed, tokenizer }: NewModel): ModelFiles {
  const architecture = architectureOf(rawConfig)
  const config = architecture.parse(rawConfig)
  const weights: Record<string, HostTensor> = {}
  Object.entries(architecture.parameters(config)).forEach(([name, parameter], index) => {
    weights[name] = initialise(parameter, seed, stream('initialisation', index))
  })
  const eos = [rawConfig['eos_token_id'] ?? []].flat().filter((id) => typeof id === 'number')
  const bos = rawConfig['bos_token_id']
  return {
    architecture,
    config,
    rawConfig: { architectures: [architecture.modelClass], ...rawConfig },
    weights,
    eosTokens: eos,
    ...(typeof bos === 'number' ? { bosToken: bos } : {}),
    ...(tokenizer ? { tokenizer } : {}),
  }
}

function initialise({ shape, init }: Parameter, seed: number, streamNumber: number): HostTensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
  if ('fill' in init) data.fill(init.fill)
  else for (let i = 0; i < data.length; i++) data[i] = init.normal * normal(seed, streamNumber, i)
  return { dtype: 'float', shape, data }
}
