import type { HostTensor, TokenizerFiles } from '@collimate/core'
import type { Architecture, ModelConfig } from '../architectures/architecture.js'
import type { ModelHead } from '../architectures/model-head.js'

/** A model in host memory: what a Hugging Face folder holds. */
export interface ModelFiles {
  readonly architecture: Architecture
  readonly config: ModelConfig
  readonly head: ModelHead
  /** config.json as it was read; written back with what we do not interpret, and with what the head asks for. */
  readonly rawConfig: Readonly<Record<string, unknown>>
  /** Weights by their names in `architecture.parameters(config, head)`; floats as Float32Array or Float64Array. */
  readonly weights: Readonly<Record<string, HostTensor>>
  /** Names under which weights are stored, where they differ: written back as they were. */
  readonly storedNames?: Readonly<Record<string, string>>
  /** Tokens that end a completion, from generation_config.json or else config.json. */
  readonly eosTokens: readonly number[]
  readonly bosToken?: number
  readonly tokenizer?: TokenizerFiles
  /** generation_config.json as it was read. */
  readonly generationConfig?: Readonly<Record<string, unknown>>
}
