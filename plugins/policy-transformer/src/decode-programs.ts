import type { Program, StateInit } from '@collimate/core'
import { broadcastTo, fill, gather, input, iota, matmul, mul, program, reshape } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { cachedAttention, forestAttention, weightInputs } from '@collimate/models'
import type { ModelConfig, ModelFiles } from '@collimate/models'
import { chooseTokens } from './sampling.js'
import type { Truncation } from './sampling.js'

/** Size of a key-value cache. */
export interface CacheSize {
  /** Rows that are decoded together, B. */
  readonly rows: number
  /** Slots of a row, C. */
  readonly capacity: number
}

/** What a prefill and a step program are built for. */
export interface DecodeShape extends CacheSize {
  readonly greedy: boolean
  readonly truncation: Truncation
}

const parts = ['k', 'v'] as const
type CachePart = (typeof parts)[number]

/** Keys and values of each layer, [B, KV, C, d]; the size is in the name, so that one program can read one cache and write another. */
function cacheBuffer(config: ModelConfig, { rows, capacity }: CacheSize, part: CachePart, layer: number) {
  return {
    name: `cache.${rows}x${capacity}.${part}.${layer}`,
    shape: [rows, config.kvHeads, capacity, config.headDim] as const,
  }
}

function cacheBuffers(config: ModelConfig, size: CacheSize) {
  const layers = Array.from({ length: config.layers }, (_, layer) => layer)
  return layers.flatMap((layer) => parts.map((part) => cacheBuffer(config, size, part, layer)))
}

/** The state of a batch while it is decoded. */
export function cacheTensors(config: ModelConfig, size: CacheSize): Record<string, StateInit> {
  return Object.fromEntries(cacheBuffers(config, size).map(({ name, shape }) => [name, { dtype: 'float', shape }]))
}

/**
 * Reads prompts, padded on the right to `width` = W: fills slots 0 to W − 1 of the cache and samples each row's first token.
 *
 * Feeds: `tokens` int [B, W], `last` int [B], the index in B·W of each prompt's last token, `slot` int, 0, and those of
 * sampling (see below). Outputs: `tokens` int [B], `logProbs` [B].
 */
export function prefillProgram(files: ModelFiles, shape: DecodeShape, width: number): Program {
  const { config } = files
  const weights = weightsOf(files)
  const last = input('last', [shape.rows], 'int')
  // One segment: causality alone hides the padding, which stands to the right of every token that is read.
  const segment = fill(0, [1, width], 'int')
  const attention = forestAttention(config, { segments: segment, prompts: segment })
  const cache = cacheUpdates(config, shape)
  const hidden = files.architecture.trunk(config, weights, {
    tokens: input('tokens', [shape.rows, width], 'int'),
    positions: broadcastTo(reshape(iota(width), [1, width]), [shape.rows, width]),
    positionLimit: width,
    attention: (layer, q, k, v) => {
      cache.write(layer, k, v)
      return attention(layer, q, k, v)
    },
    keep: (rows) => gather(rows, last),
  })
  return program({
    name: 'prefill',
    outputs: sample(shape, files.architecture.head(config, weights), hidden),
    updates: cache.updates,
  })
}

/**
 * One token per row: reads the cache, writes the token's keys and values at `slot`, samples the next token.
 *
 * Feeds: `tokens` int [B], `positions` int [B], `visible` [B, C], added to the scores of the cache's slots, `slot` int, and
 * those of sampling: unless greedy, `uniforms` [B] and `inverseTemperature`. Outputs as those of the prefill.
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
    positionLimit: positionLimit(config, shape),
    attention: cachedAttention(config, view, cache.write),
    joinWeights,
  })
  return program({
    name: 'decode step',
    outputs: sample(shape, files.architecture.head(config, weights), hidden),
    updates: cache.updates,
  })
}

/**
 * Copies rows of a cache into another, which may have fewer rows and more slots.
 *
 * Feeds: `rows` int [B of the new one], the rows that are taken, and `slot` int, 0.
 */
export function moveProgram(config: ModelConfig, from: CacheSize, to: CacheSize): Program {
  const rows = input('rows', [to.rows], 'int')
  const start = input('slot', [], 'int')
  const targets = cacheBuffers(config, to)
  const updates = cacheBuffers(config, from).map(({ name, shape }, index) => {
    const target = targets[index]
    return {
      state: input(target.name, target.shape, 'float', 'state'),
      value: gather(input(name, shape, 'float', 'state'), rows),
      at: { axis: 2, start },
    }
  })
  return program({ name: 'move cache', outputs: {}, updates })
}

/** Positions of a batch are below it. */
export function positionLimit(config: ModelConfig, { capacity }: CacheSize): number {
  return Math.min(capacity, config.contextLength)
}

/** Buffers of the cache, and the writes of new rows into them at the feed `slot`. */
function cacheUpdates(config: ModelConfig, size: CacheSize) {
  const slot = input('slot', [], 'int')
  const buffer = (part: CachePart, layer: number) => {
    const { name, shape } = cacheBuffer(config, size, part, layer)
    return input(name, shape, 'float', 'state')
  }
  const updates: { state: Tensor; value: Tensor; at: { axis: number; start: Tensor } }[] = []
  const write = (layer: number, k: Tensor, v: Tensor): void => {
    for (const [part, value] of [['k', k] as const, ['v', v] as const])
      updates.push({ state: buffer(part, layer), value, at: { axis: 2, start: slot } })
  }
  return { buffer, write, updates }
}

const weightsOf = ({ architecture, config }: ModelFiles) => weightInputs(architecture.parameters(config))

/** Samples from the distributions that a head [V, D] gives over hidden states [B, D]. */
function sample({ rows, greedy, truncation }: DecodeShape, head: Tensor, hidden: Tensor) {
  // Dividing [B, D] by the temperature is cheaper than dividing the logits, [B, V].
  const scaled = greedy ? hidden : mul(hidden, input('inverseTemperature', []))
  const uniforms = greedy ? undefined : reshape(input('uniforms', [rows]), [rows, 1])
  return chooseTokens(matmul(scaled, head, { transposeB: true }), uniforms, truncation)
}
