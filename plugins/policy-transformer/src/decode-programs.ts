import type { Program } from '@collimate/core'
import {
  broadcastTo,
  fill,
  gather,
  greaterEqual,
  input,
  iota,
  matmul,
  maximum,
  mul,
  program,
  reshape,
  slice,
  where,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { cachedAttention, forestAttention, weightInputs } from '@collimate/models'
import type { ModelConfig, ModelFiles } from '@collimate/models'
import { cacheInput, cacheParts, slotInput } from './decode-cache.js'
import type { CachePart, CacheSize } from './decode-cache.js'
import { chooseTokens } from './sampling.js'
import type { Truncation } from './sampling.js'

/** What every decoding program is built for. */
export interface DecodeShape extends CacheSize {
  readonly greedy: boolean
  readonly truncation: Truncation
}

/** What an enter program is built for besides. */
export interface EntryShape {
  /** Completions that begin, E: each samples its first token. */
  readonly entering: number
  /** Different prompts among theirs, R. */
  readonly prompts: number
  /** Columns of the prompts, padded on the right, W. */
  readonly width: number
  /**
   * `all`: every row is new. `own`: the same, and row b takes prompt b (R = B). `some`: rows that are not entered keep
   * what they hold.
   */
  readonly into: 'all' | 'own' | 'some'
}

/**
 * Reads prompts, writes their keys and values into columns 0 to W − 1 of the rows that they enter, and samples the first
 * token of each completion. Equal prompts may be read once and entered many times.
 *
 * Feeds: `tokens` int [R, W]; `last` int [E], the index in R·W of the last token of each completion's prompt; unless `into`
 * is `own`, `sources` int [B], the prompt that a row takes, −1 where it stays as it is; `slot` int, 0; and those of sampling:
 * unless greedy, `uniforms` [E] and `inverseTemperature`. Outputs: `tokens` int [E], `logProbs` [E].
 */
export function enterProgram(files: ModelFiles, shape: DecodeShape, entry: EntryShape): Program {
  const { config } = files
  const { prompts, width, entering } = entry
  const weights = weightsOf(files)
  const last = input('last', [entering], 'int')
  // One segment: causality alone hides the padding, which stands to the right of every token that is read.
  const segment = fill(0, [1, width], 'int')
  const attention = forestAttention(config, { segments: segment, prompts: segment })
  const cache = cacheUpdates(config, shape)
  const hidden = files.architecture.trunk(config, weights, {
    tokens: input('tokens', [prompts, width], 'int'),
    positions: broadcastTo(reshape(iota(width), [1, width]), [prompts, width]),
    positionLimit: width,
    attention: (layer, q, k, v) => {
      const rows = (part: CachePart, read: Tensor) => placed(read, cache.buffer(part, layer), entry)
      cache.write(layer, rows('k', k), rows('v', v))
      return attention(layer, q, k, v)
    },
    keep: (rows) => gather(rows, last),
  })
  return program({
    name: 'enter',
    outputs: sample(shape, entering, files.architecture.head(config, weights), hidden),
    updates: cache.updates,
  })
}

/** The first W columns of all rows of a buffer [B, KV, C, d], once what was read, [R, KV, W, d], has entered it. */
function placed(read: Tensor, buffer: Tensor, { into, width }: EntryShape): Tensor {
  if (into === 'own') return read
  const [rows, heads, , size] = buffer.shape
  const sources = input('sources', [rows], 'int')
  if (into === 'all') return gather(read, sources)
  const entered = greaterEqual(reshape(sources, [rows, 1, 1, 1]), 0)
  return where(entered, gather(read, maximum(sources, 0)), slice(buffer, [0, 0, 0, 0], [rows, heads, width, size]))
}

/**
 * One token per row: reads the cache, writes the token's keys and values into column `slot`, samples the next token.
 *
 * Feeds: `tokens` int [B], `positions` int [B], `visible` [B, C], added to the scores of the cache's columns, `slot` int, and
 * those of sampling, as above for B completions. Outputs: `tokens` int [B], `logProbs` [B].
 *
 * @param joinWeights for a program that has the weights built in
 */
export function stepProgram(files: ModelFiles, shape: DecodeShape, joinWeights: boolean): Program {
  const { config } = files
  const weights = weightsOf(files)
  const { rows, capacity } = shape
  const cache = cacheUpdates(config, shape)
  const view = {
    keys: (layer: number) => cache.buffer('k', layer),
    values: (layer: number) => cache.buffer('v', layer),
    mask: reshape(input('visible', [rows, capacity]), [rows, 1, 1, capacity]),
  }
  const hidden = files.architecture.trunk(config, weights, {
    tokens: reshape(input('tokens', [rows], 'int'), [rows, 1]),
    positions: reshape(input('positions', [rows], 'int'), [rows, 1]),
    // A row sees what lies before its token in the cache, each in a column of its own: no position reaches C.
    positionLimit: Math.min(capacity, config.contextLength),
    attention: cachedAttention(config, view, cache.write),
    joinWeights,
  })
  return program({
    name: 'decode step',
    outputs: sample(shape, rows, files.architecture.head(config, weights), hidden),
    updates: cache.updates,
  })
}

/** Buffers of the cache, and the writes of new columns into them at the feed `slot`. */
function cacheUpdates(config: ModelConfig, size: CacheSize) {
  const start = slotInput()
  const buffer = (part: CachePart, layer: number) => cacheInput(config, size, part, layer)
  const updates: { state: Tensor; value: Tensor; at: { axis: number; start: Tensor } }[] = []
  const write = (layer: number, k: Tensor, v: Tensor): void => {
    const values = { k, v }
    for (const part of cacheParts)
      updates.push({ state: buffer(part, layer), value: values[part], at: { axis: 2, start } })
  }
  return { buffer, write, updates }
}

const weightsOf = ({ architecture, config }: ModelFiles) => weightInputs(architecture.parameters(config))

/** Samples from the distributions that a head [V, D] gives over hidden states [count, D]. */
function sample({ greedy, truncation }: DecodeShape, count: number, head: Tensor, hidden: Tensor) {
  // Dividing [count, D] by the temperature is cheaper than dividing the logits, [count, V].
  const scaled = greedy ? hidden : mul(hidden, input('inverseTemperature', []))
  const uniforms = greedy ? undefined : reshape(input('uniforms', [count]), [count, 1])
  return chooseTokens(matmul(scaled, head, { transposeB: true }), uniforms, truncation)
}
