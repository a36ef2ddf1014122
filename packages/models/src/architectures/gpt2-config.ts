import type { ModelConfig } from './architecture.js'
import { ConfigReader } from './config-reader.js'

export interface Gpt2Config extends ModelConfig {
  /** Width of the feed-forward layer. */
  readonly inner: number
  /** GELU by tanh approximation, exact GELU, or ReLU. */
  readonly activation: 'tanh' | 'erf' | 'relu'
}

const activations = { gelu_new: 'tanh', gelu_pytorch_tanh: 'tanh', gelu: 'erf', relu: 'relu' } as const

/**
 * Reads the config.json of a `GPT2LMHeadModel`; defaults are those of transformers.
 * Dropout (`*_pdrop`) is never applied: it belongs to training, and preference training goes without.
 */
export function parseGpt2Config(json: unknown, source = 'config.json'): Gpt2Config {
  const reader = ConfigReader.of(json, source)
  reader.refuse('quantization_config')
  reader.refuse('add_cross_attention', false)
  reader.refuse('scale_attn_by_inverse_layer_idx', false)
  const heads = reader.size('n_head')
  const hidden = reader.size('n_embd')
  if (hidden % heads !== 0) reader.invalid('n_embd', `a multiple of n_head (${heads})`)
  const names = Object.keys(activations) as (keyof typeof activations)[]
  return {
    layers: reader.size('n_layer'),
    heads,
    kvHeads: heads,
    headDim: hidden / heads,
    hidden,
    inner: reader.size('n_inner', 4 * hidden),
    vocabularySize: reader.size('vocab_size'),
    contextLength: reader.size('n_positions'),
    attentionScale: reader.flag('scale_attn_weights', true) ? (hidden / heads) ** -0.5 : 1,
    tied: reader.flag('tie_word_embeddings', true),
    normEpsilon: reader.positive('layer_norm_epsilon', 1e-5),
    initializerRange: reader.positive('initializer_range', 0.02),
    activation: activations[reader.choice('activation_function', names, 'gelu_new')],
  }
}
