import {
  add,
  and,
  attend,
  concat,
  equal,
  greaterEqual,
  iota,
  less,
  lessEqual,
  matmul,
  or,
  reshape,
  slice,
  softmax,
  where,
  type Tensor,
} from '@collimate/graph'
import type { Attention, ModelConfig } from '../architectures/architecture.js'

/** Added to the score of what is not seen; exp of it is 0 in every precision. */
const unseen = -1e9

/** Additive mask of a condition: 0 where it holds. */
const additive = (visible: Tensor): Tensor => where(visible, 0, unseen)

/**
 * Attention within rows that are forests: token i sees j ≤ i of its own segment and of its prompt's segment.
 * Padding (segment −1) sees padding only, itself at least, so that its values stay finite.
 *
 * @param segments int [R, S], `prompts` int [R, S]: as in `ForestBatch`
 */
export function forestAttention(config: ModelConfig, batch: { segments: Tensor; prompts: Tensor }): Attention {
  const mask = forestMask(batch)
  return (_layer, q, k, v) => groupedAttention(config, q, k, v, mask)
}

/** Additive mask [R, 1, 1, S, S], queries before keys. */
function forestMask({ segments, prompts }: { segments: Tensor; prompts: Tensor }): Tensor {
  const [rows, width] = segments.shape
  const perQuery = (x: Tensor): Tensor => reshape(x, [rows, width, 1])
  const perKey = reshape(segments, [rows, 1, width])
  const causal = lessEqual(reshape(iota(width), [1, 1, width]), reshape(iota(width), [1, width, 1]))
  const related = or(equal(perKey, perQuery(segments)), equal(perKey, perQuery(prompts)))
  return reshape(additive(and(causal, related)), [rows, 1, 1, width, width])
}

/**
 * Attention with grouped-query heads (Ainslie et al., arXiv 2305.13245): the G query heads of a key-value head stand one
 * below the other, [B, KV, G·Q, d], so that k and v are never repeated.
 *
 * @param mask additive, [B, 1, 1, Q, K]
 */
function groupedAttention(config: ModelConfig, q: Tensor, k: Tensor, v: Tensor, mask: Tensor): Tensor {
  const [batch, heads, queries, size] = q.shape
  const { kvHeads } = config
  const groups = heads / kvHeads
  const keys = k.shape[2]
  const grouped = reshape(q, [batch, kvHeads, groups * queries, size])
  const scores = matmul(grouped, k, { transposeB: true, scale: config.attentionScale })
  const masked = add(reshape(scores, [batch, kvHeads, groups, queries, keys]), mask)
  return reshape(attend(reshape(masked, [batch, kvHeads, groups * queries, keys]), v), [batch, heads, queries, size])
}

/** What a decoding step sees of the past. Slots of the cache: the padded prompt first, then the tokens decoded so far. */
export interface CacheView {
  /** Cached keys of a layer, [B, KV, C, d]. */
  readonly keys: (layer: number) => Tensor
  /** Cached values of a layer, [B, KV, C, d]. */
  readonly values: (layer: number) => Tensor
  /** Additive mask over the slots, [B, 1, 1, C]: see `cacheMask`. */
  readonly mask: Tensor
}

/**
 * Additive mask [B, 1, 1, C] over a cache: row b sees its prompt (slots 0 to promptLengths[b] − 1) and what was decoded
 * since (slots promptWidth to writeIndex − 1).
 *
 * @param promptLengths int [B]
 * @param promptWidth first slot of decoded tokens: a number, or an int scalar
 * @param writeIndex int scalar, the slot that the present token will take
 */
export function cacheMask(
  capacity: number,
  promptLengths: Tensor,
  promptWidth: Tensor | number,
  writeIndex: Tensor,
): Tensor {
  const batch = promptLengths.shape[0]
  const slots = reshape(iota(capacity), [1, 1, 1, capacity])
  const inPrompt = less(slots, reshape(promptLengths, [batch, 1, 1, 1]))
  const decoded = and(greaterEqual(slots, promptWidth), less(slots, writeIndex))
  return additive(or(inPrompt, decoded))
}

/**
 * Attention of new tokens over a cache and themselves: scores on the cache and on the new rows under one softmax, the two
 * products added. Nothing of the cache is copied. New tokens see the whole visible cache and the new tokens up to
 * themselves. `remember` gets the new rows of a layer, [B, KV, Q, d], to be written into the cache.
 */
export function cachedAttention(
  config: ModelConfig,
  cache: CacheView,
  remember: (layer: number, k: Tensor, v: Tensor) => void,
): Attention {
  return (layer, q, k, v) => {
    remember(layer, k, v)
    const [batch, heads, queries, size] = q.shape
    const { kvHeads, attentionScale: scale } = config
    const groups = heads / kvHeads
    const grouped = reshape(q, [batch, kvHeads, groups * queries, size])
    const oldKeys = cache.keys(layer)
    const capacity = oldKeys.shape[2]
    const old = add(matmul(grouped, oldKeys, { transposeB: true, scale }), cache.mask)
    const fresh = causal(matmul(grouped, k, { transposeB: true, scale }), groups, queries)
    const weights = softmax(concat([old, fresh], 3))
    const part = (begin: number, end: number): Tensor =>
      slice(weights, [0, 0, 0, begin], [batch, kvHeads, groups * queries, end])
    const mixed = add(matmul(part(0, capacity), cache.values(layer)), matmul(part(capacity, capacity + queries), v))
    return reshape(mixed, [batch, heads, queries, size])
  }
}

/** Hides later new tokens from earlier ones; nothing to do for one token. */
function causal(scores: Tensor, groups: number, queries: number): Tensor {
  if (queries === 1) return scores
  const shape = scores.shape
  const mask = additive(lessEqual(reshape(iota(queries), [1, queries]), reshape(iota(queries), [queries, 1])))
  return reshape(add(reshape(scores, [shape[0], shape[1], groups, queries, queries]), mask), shape)
}
