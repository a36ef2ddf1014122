import type { HostTensor, TokenizerFiles } from '@collimate/core'
import { hasLanguageHead, scoreWeight } from '../architectures/model-head.js'
import { architectureOf } from '../architectures/registry.js'
import type { JsonObject } from '../json-object.js'
import { initialise, newScalarHead } from './initialise.js'
import type { ModelFiles } from './model-files.js'
import { storedHead, type WantedHead } from './stored-head.js'

export interface NewModel {
  /** Content of a config.json. */
  readonly config: JsonObject
  readonly seed: number
  readonly tokenizer?: TokenizerFiles
  /** Default `auto`: what `architectures` in the configuration says, `language` where it says nothing. */
  readonly head?: WantedHead
}

/**
 * A model with random weights, distributed as transformers initialises them (the scalar head: `scalarHead`); the same seed
 * gives the same weights, and the same trunk under every head.
 *
 * @throws CollimateError as `Architecture.parse`, `architectureOf` and `storedHead`
 */
export function createModel({ config: rawConfig, seed, tokenizer, head: wanted = 'auto' }: NewModel): ModelFiles {
  const architecture = architectureOf(rawConfig)
  const config = architecture.parse(rawConfig)
  const named = storedHead(rawConfig, architecture, 'config.json')
  const head = wanted === 'auto' ? named : wanted
  const weights: Record<string, HostTensor> = {}
  Object.entries(architecture.parameters(config, head)).forEach(([name, parameter], index) => {
    weights[name] = name === scoreWeight ? newScalarHead(config, seed) : initialise(parameter, seed, index)
  })
  const eos = [rawConfig['eos_token_id'] ?? []].flat().filter((id) => typeof id === 'number')
  const bos = rawConfig['bos_token_id']
  return {
    architecture,
    config,
    head,
    rawConfig: {
      architectures: [architecture.modelClass],
      ...rawConfig,
      ...(hasLanguageHead(head) && named === 'score' ? { architectures: [architecture.modelClass] } : {}),
    },
    weights,
    eosTokens: eos,
    ...(typeof bos === 'number' ? { bosToken: bos } : {}),
    ...(tokenizer ? { tokenizer } : {}),
  }
}
