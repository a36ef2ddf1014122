import type { StateId, TensorData } from '@collimate/core'
import { cacheTensors, moveProgram } from './decode-cache.js'
import type { CacheSize } from './decode-cache.js'
import { enterProgram, stepProgram } from './decode-programs.js'
import type { DecodeShape, EntryShape } from './decode-programs.js'
import type { Engine } from './engine.js'
import type { WeightSource } from './weights.js'

type Values = Record<string, TensorData>

/** A key-value cache on the backend and the programs that work on it; feeds and outputs are those of the programs. */
export interface DecodeSession {
  /** Of the cache; no rows before the first `clear`. */
  readonly size: CacheSize
  /** Replaces the cache by an empty one. */
  clear(size: CacheSize): Promise<void>
  enter(entry: EntryShape, feeds: Values): Promise<Values>
  step(feeds: Values): Promise<Values>
  /** Moves rows into a cache of another size, in the given order; `columns` says which are taken where it has fewer. */
  move(size: CacheSize, rows: Int32Array, columns: Int32Array): Promise<void>
  release(): Promise<void>
}

export interface SessionRequest {
  readonly sampling: Pick<DecodeShape, 'greedy' | 'truncation'>
  /** Build the weights into step programs. */
  readonly frozen: boolean
}

export function openSession(
  { backend, programs, files }: Engine,
  weights: WeightSource,
  { sampling, frozen }: SessionRequest,
): DecodeSession {
  const { config } = files
  const weightBytes = Object.values(files.weights).reduce((total, { data }) => total + data.byteLength, 0)
  let size: CacheSize = { rows: 0, capacity: 0 }
  let cache: StateId | undefined
  const caches = () => (cache === undefined ? [] : [cache])
  const shape = (): DecodeShape => ({ rows: size.rows, capacity: size.capacity, ...sampling })

  async function release(): Promise<void> {
    const old = caches()
    cache = undefined
    for (const id of old) await backend.release({ id })
  }

  return {
    get size() {
      return size
    },

    async clear(next) {
      await release()
      cache = await backend.state({ tensors: cacheTensors(config, next) })
      size = next
    },

    enter: (entry, feeds) =>
      programs.use(
        {
          key: `enter ${JSON.stringify([entry, shape()])}`,
          build: () => ({ program: enterProgram(files, shape(), entry), info: undefined }),
        },
        ({ run }) => run(feeds, [weights.state(), ...caches()]),
      ),

    step: (feeds) =>
      programs.use(
        {
          key: `step ${JSON.stringify(shape())}`,
          build: () => ({ program: stepProgram(files, shape(), frozen), info: undefined }),
          ...(frozen && { frozen: { state: weights.state(), content: weights.content(), bytes: weightBytes } }),
        },
        // Borrowed weights may move between two runs: their place is asked for at each.
        ({ run }) => run(feeds, frozen ? caches() : [weights.state(), ...caches()]),
      ),

    async move(next, rows, columns) {
      const from = size
      const target = await backend.state({ tensors: cacheTensors(config, next) })
      try {
        await programs.use(
          {
            key: `move ${JSON.stringify([from, next])}`,
            build: () => ({ program: moveProgram(config, from, next), info: undefined }),
          },
          ({ run }) => run({ rows, columns, slot: Int32Array.of(0) }, [...caches(), target]),
        )
      } catch (error) {
        await backend.release({ id: target })
        throw error
      }
      await release()
      cache = target
      size = next
    },

    release,
  }
}
