import type { Shape } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import type { ModelHead } from './model-head.js'

/** What every architecture's configuration answers; sizes in elements. */
export interface ModelConfig {
  readonly layers: number
  readonly heads: number
  /** Heads of keys and values; `heads` is a multiple of it (grouped-query attention). */
  readonly kvHeads: number
  readonly headDim: number
  /** Width of the residual stream. */
  readonly hidden: number
  readonly vocabularySize: number
  /** Longest sequence, tokens. */
  readonly contextLength: number
  /** Multiplies attention scores before the softmax. */
  readonly attentionScale: number
  /** The head is the token embedding. */
  readonly tied: boolean
  readonly normEpsilon: number
  /** Standard deviation of freshly initialised weights. */
  readonly initializerRange: number
}

/** How a parameter starts in a new model: independent normal values, or one value everywhere. */
export type Init = { readonly normal: number } | { readonly fill: number }

export interface Parameter {
  readonly shape: Shape
  /** Weight decay touches it: true for matrices, false for gains and biases. */
  readonly decay: boolean
  readonly init: Init
}

/**
 * Attention of one layer: q [B, H, S, d], k and v [B, KV, S, d] after the rotary embedding; returns [B, H, S, d].
 * It decides what a token sees, and may keep k and v for a cache.
 */
export type Attention = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor

export interface TrunkInput {
  /** int [B, S] token ids. */
  readonly tokens: Tensor
  /** int [B, S] positions, each below `positionLimit`. */
  readonly positions: Tensor
  readonly attention: Attention
  /** Selects rows of [B·S, D] after the last layer's attention: what follows is computed for them alone. */
  readonly keep?: (rows: Tensor) => Tensor
  /** Positions are below it; default the context length. A smaller one makes smaller rotary tables. */
  readonly positionLimit?: number
  /**
   * Joins products that share their input (q, k, v; gate, up) into one. Saves time where weights are constants, since a
   * backend joins them once; costs a copy of the weights per run where they are not.
   */
  readonly joinWeights?: boolean
}

/** A decoder-only transformer as expressions over its weights. Activations around linear layers are 2-D, [B·S, D]. */
export interface Architecture<Config extends ModelConfig = ModelConfig> {
  /** `model_type` in config.json. */
  readonly name: string
  /** Prefix of the base model's weights, e.g. `model.`; checkpoints of the bare base model lack it. */
  readonly prefix: string
  /**
   * Reads config.json. What is asked for and not implemented is refused, not ignored.
   *
   * @param source file name for messages, default `config.json`
   * @throws CollimateError COLLIMATE_MODEL_CONFIG_INVALID or COLLIMATE_MODEL_UNSUPPORTED, naming file and field
   */
  parse(json: unknown, source?: string): Config
  /** All weights of a model with these heads (default `language`) by their Hugging Face names; a tied head has no entry of its own. */
  parameters(config: Config, head?: ModelHead): Readonly<Record<string, Parameter>>
  /** Class of the causal language model in transformers, for a new config.json. */
  readonly modelClass: string
  /** Class of the sequence-classification model in transformers: the trunk with the scalar head. */
  readonly sequenceClass: string
  /** Name of the token embedding, [V, D]. */
  readonly embedding: string
  /** True for names in checkpoints that hold no weight: buffers of older versions. */
  isBuffer(name: string): boolean
  /** Hidden states after the final norm, [rows, D]. */
  trunk(config: Config, weights: Readonly<Record<string, Tensor>>, x: TrunkInput): Tensor
  /** The matrix of the language head, [V, D]: logits are hidden · headᵀ. */
  head(config: Config, weights: Readonly<Record<string, Tensor>>): Tensor
}
