/** The benchmark's model and batches: a Llama of 5,795,072 parameters; the peer script gets the same numbers. */
export const shapes = {
  layers: 6,
  hidden: 256,
  heads: 8,
  intermediate: 688,
  vocabulary: 4096,
  context: 512,
  /** Training batch: 16 rows of 128 tokens; for DPO 8 pairs whose first 32 tokens are the prompt. */
  rows: 16,
  width: 128,
  /** Prompt tokens of a pair and of a decoded row. */
  prompt: 32,
  /** Tokens sampled per row when decoding. */
  newTokens: 64,
  decodeBatches: [1, 16, 64],
  /** Completions of uneven length: any of `stops` tokens ends one, so lengths are geometric, about 40 on the mean, at most `newTokens`. */
  uneven: { prompts: 256, batch: 32, stops: 102, newTokens: 200 },
} as const

/** Hugging Face config.json of that model. */
export const modelConfig = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_size: shapes.hidden,
  intermediate_size: shapes.intermediate,
  num_hidden_layers: shapes.layers,
  num_attention_heads: shapes.heads,
  num_key_value_heads: shapes.heads,
  vocab_size: shapes.vocabulary,
  max_position_embeddings: shapes.context,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
} as const
