import type { Program, StateInit } from '@collimate/core'
import { gather, input, program } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import type { ModelConfig } from '@collimate/models'

/** Size of a key-value cache. */
export interface CacheSize {
  /** Rows that are decoded together, B. */
  readonly rows: number
  /** Columns of a row, C: one for each token that it may keep. */
  readonly capacity: number
}

export const cacheParts = ['k', 'v'] as const
export type CachePart = (typeof cacheParts)[number]

/** Keys and values of each layer, [B, KV, C, d]; the size is in the name, so that one program can read one cache and write another. */
function cacheBuffer(config: ModelConfig, { rows, capacity }: CacheSize, part: CachePart, layer: number) {
  return {
    name: `cache.${rows}x${capacity}.${part}.${layer}`,
    shape: [rows, config.kvHeads, capacity, config.headDim] as const,
  }
}

function cacheBuffers(config: ModelConfig, size: CacheSize) {
  const layers = Array.from({ length: config.layers }, (_, layer) => layer)
  return layers.flatMap((layer) => cacheParts.map((part) => cacheBuffer(config, size, part, layer)))
}

/** The state of what is decoded. */
export function cacheTensors(config: ModelConfig, size: CacheSize): Record<string, StateInit> {
  return Object.fromEntries(cacheBuffers(config, size).map(({ name, shape }) => [name, { dtype: 'float', shape }]))
}

/** A buffer of the cache as a program sees it. */
export function cacheInput(config: ModelConfig, size: CacheSize, part: CachePart, layer: number): Tensor {
  const { name, shape } = cacheBuffer(config, size, part, layer)
  return input(name, shape, 'float', 'state')
}

/** The first column that a run writes: an int scalar feed. */
export const slotInput = () => input('slot', [], 'int')

/**
 * Copies rows of a cache into another. Where that has as many columns or more they keep their places, where it has fewer
 * the feed says which are taken.
 *
 * Feeds: `rows` int [B of the new one], `columns` int [C of the new one] where it is smaller, and `slot` int, 0.
 */
export function moveProgram(config: ModelConfig, from: CacheSize, to: CacheSize): Program {
  const rows = input('rows', [to.rows], 'int')
  const columns = to.capacity < from.capacity ? input('columns', [to.capacity], 'int') : undefined
  const start = slotInput()
  const targets = cacheBuffers(config, to)
  const updates = cacheBuffers(config, from).map(({ name, shape }, index) => {
    const target = targets[index]
    const kept = gather(input(name, shape, 'float', 'state'), rows)
    return {
      state: input(target.name, target.shape, 'float', 'state'),
      value: columns === undefined ? kept : gather(kept, columns, 2),
      at: { axis: 2, start },
    }
  })
  return program({ name: 'move cache', outputs: {}, updates })
}
