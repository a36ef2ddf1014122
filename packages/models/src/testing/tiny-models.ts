import type { ModelHead } from '../architectures/model-head.js'
import { createModel } from '../files/create-model.js'
import type { ModelFiles } from '../files/model-files.js'

/** A small Llama with grouped-query attention, weights large enough for every part to matter. */
export function tinyLlama(seed = 1, change: Record<string, unknown> = {}, head: ModelHead = 'language'): ModelFiles {
  const config = {
    model_type: 'llama',
    hidden_size: 16,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    vocab_size: 11,
    max_position_embeddings: 24,
    initializer_range: 0.4,
    tie_word_embeddings: true,
    eos_token_id: [2, 3],
    bos_token_id: 1,
    ...change,
  }
  return createModel({ config, seed, head })
}

export function tinyGpt2(seed = 1, change: Record<string, unknown> = {}, head: ModelHead = 'language'): ModelFiles {
  const config = {
    model_type: 'gpt2',
    n_embd: 12,
    n_head: 3,
    n_layer: 2,
    n_positions: 24,
    vocab_size: 11,
    initializer_range: 0.4,
    ...change,
  }
  return createModel({ config, seed, head })
}
