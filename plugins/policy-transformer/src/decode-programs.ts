import type { Program, StateInit } from '@collimate/core'
import { broadcastTo, fill, gather, input, iota, matmul, mul, program, reshape } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { cachedAttention, forestAttention, weightInputs } from '@collimate/models'
import type { ModelConfig, ModelFiles } from '@collimate/models'
import { chooseTokens } from './sampling.js'
import type { Truncation } from './sampling.js'

/** What a prefill and a step program are built for. */
export interface DecodeShape {
  /** Rows that are decoded together, B. */
  readonly rows: number
  /** Slots of a row in the cache, C. */
  readonly capacity: number
  readonly greedy: boolean
  readonly truncation: Truncation
}

type CachePart = 'k' | 'v'

const cacheName = (part: CachePart, layer: number) => `cache.${part}.${layer}`

const cacheShape = (config: ModelConfig, { rows, capacity }: DecodeShape) =>
  [rows, config.kvHeads, capacity, config.headDim] as const

/** State of a batch while it is decoded: keys and values of each layer, [B, KV, C, d]. */
export function cacheTensors(config: ModelConfig, shape: DecodeShape): Record<string, StateInit> {
  const buffer = { dtype: 'float', shape: cacheShape(config, shape) } as const
  const layers = Array.from({ length: config.layers }, (_, layer) => layer)
  return Object.fromEntries(
    layers.flatMap((layer) => [
      [cacheName('k', layer), buffer],
      [cacheName('v', layer), buffer],
    ]),
  )
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

/** Positions of a batch are below it. */
export function positionLimit(config: ModelConfig, { capacity }: Pick<DecodeShape, 'capacity'>): number {
  return Math.min(capacity, config.contextLength)
}

/** Buffers of the cache, and the writes of new rows into them at the feed `slot`. */
function cacheUpdates(config: ModelConfig, shape: DecodeShape) {
  const slot = input('slot', [], 'int')
  const buffer = (part: CachePart, layer: number) =>
    input(cacheName(part, layer), cacheShape(config, shape), 'float', 'state')
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
