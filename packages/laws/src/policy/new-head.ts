import { createModel } from '@collimate/models'

/** The scalar head of a new model of this width, as `@collimate/models` makes it. */
export function newHead(width: number, seed: number): ArrayLike<number> {
  const config = { model_type: 'gpt2', n_embd: width, n_layer: 1, n_head: 1, n_inner: 1, n_positions: 1, vocab_size: 1 }
  return createModel({ config, seed, head: 'score' }).weights['score.weight'].data
}
