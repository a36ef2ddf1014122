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
  // One mask for all layers.
  const mask = repeatQueries(forestMask(batch), groupsOf(config))
  return (_layer, q, k, v) => {
    const scores = matmul(groupQueries(config, q), k, { transposeB: true, scale: config.attentionScale })
    return reshape(attend(add(scores, mask), v), q.shape)
  }
}

/** Additive mask [R, 1, S, S], queries before keys. */
function forestMask({ segments, prompts }: { segments: Tensor; prompts: Tensor }): Tensor {
  const [rows, width] = segments.shape
  const perQuery = (x: Tensor): Tensor => reshape(x, [rows, 1, width, 1])
  const perKey = reshape(segments, [rows, 1, 1, width])
  const related = or(equal(perKey, perQuery(segments)), equal(perKey, perQuery(prompts)))
  return additive(and(notLater(width), related))
}

/** [S, S], true where the key is not later than the query. */
const notLater = (width: number): Tensor =>
  lessEqual(reshape(iota(width), [1, width]), reshape(iota(width), [width, 1]))

/*
 * Grouped-query attention (Ainslie et al., arXiv 2305.13245): the G query heads of a key-value head stand one below the
 * other, [B, KV, G·Q, d], so that keys and values are never repeated.
 */

const groupsOf = ({ heads, kvHeads }: ModelConfig): number => heads / kvHeads

/** [B, H, Q, d] to [B, KV, G·Q, d]. */
function groupQueries(config: ModelConfig, q: Tensor): Tensor {
  const [batch, , queries, size] = q.shape
  return reshape(q, [batch, config.kvHeads, groupsOf(config) * queries, size])
}

/** A mask [..., Q, K] for queries that stand G times below each other: [..., G·Q, K]. */
function repeatQueries(mask: Tensor, groups: number): Tensor {
  return groups === 1 ? mask : concat(new Array<Tensor>(groups).fill(mask), mask.rank - 2)
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
  const { attentionScale: scale } = config
  return (layer, q, k, v) => {
    remember(layer, k, v)
    const queries = q.shape[2]
    const grouped = groupQueries(config, q)
    const oldKeys = cache.keys(layer)
    const old = add(matmul(grouped, oldKeys, { transposeB: true, scale }), cache.mask)
    const fresh = matmul(grouped, k, { transposeB: true, scale })
    // One new token sees itself; several must not see later ones.
    const hidden = queries === 1 ? fresh : add(fresh, repeatQueries(additive(notLater(queries)), groupsOf(config)))
    const weights = softmax(concat([old, hidden], 3))
    const capacity = oldKeys.shape[2]
    const part = (begin: number, end: number): Tensor =>
      slice(weights, [0, 0, 0, begin], [...weights.shape.slice(0, 3), end])
    const mixed = add(matmul(part(0, capacity), cache.values(layer)), matmul(part(capacity, capacity + queries), v))
    return reshape(mixed, q.shape)
  }
}
