import type { ModelConfig } from './architecture.js'
import { ConfigReader } from './config-reader.js'
import { parseRope, type Rope } from './rope.js'

export interface LlamaConfig extends ModelConfig {
  /** Width of the gated feed-forward layer. */
  readonly inner: number
  readonly rope: Rope
  /** q, k, v and o have biases. */
  readonly attentionBias: boolean
  /** gate, up and down have biases. */
  readonly mlpBias: boolean
}

/** Reads the config.json of a `LlamaForCausalLM`; defaults are those of transformers. */
export function parseLlamaConfig(json: unknown, source = 'config.json'): LlamaConfig {
  const reader = ConfigReader.of(json, source)
  reader.choice('hidden_act', ['silu'], 'silu')
  reader.refuse('quantization_config')
  const heads = reader.size('num_attention_heads')
  const kvHeads = reader.size('num_key_value_heads', heads)
  const hidden = reader.size('hidden_size')
  if (heads % kvHeads !== 0) reader.invalid('num_key_value_heads', `a divisor of num_attention_heads (${heads})`)
  if (reader.raw('head_dim') === undefined && hidden % heads !== 0) {
    reader.invalid('hidden_size', `a multiple of num_attention_heads (${heads})`)
  }
  const headDim = reader.size('head_dim', hidden / heads)
  if (headDim % 2 !== 0) reader.invalid('head_dim', 'even (default hidden_size / num_attention_heads)')
  return {
    layers: reader.size('num_hidden_layers'),
    heads,
    kvHeads,
    headDim,
    hidden,
    inner: reader.size('intermediate_size'),
    vocabularySize: reader.size('vocab_size'),
    contextLength: reader.size('max_position_embeddings'),
    attentionScale: headDim ** -0.5,
    tied: reader.flag('tie_word_embeddings', false),
    normEpsilon: reader.positive('rms_norm_eps', 1e-6),
    initializerRange: reader.positive('initializer_range', 0.02),
    rope: parseRope(reader),
    attentionBias: reader.flag('attention_bias', false),
    mlpBias: reader.flag('mlp_bias', false),
  }
}
