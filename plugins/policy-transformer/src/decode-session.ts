import type { TensorData } from '@collimate/core'
import { cacheTensors, moveProgram, prefillProgram, stepProgram } from './decode-programs.js'
import type { CacheSize, DecodeShape } from './decode-programs.js'
import type { Engine } from './engine.js'
import type { WeightSource } from './weights.js'

type Values = Record<string, TensorData>

/** A key-value cache on the backend and the programs that work on it; feeds and outputs are those of the programs. */
export interface DecodeSession {
  readonly size: CacheSize
  prefill(width: number, feeds: Values): Promise<Values>
  step(feeds: Values): Promise<Values>
  /** Moves the given rows into a cache of another size, in their order. */
  move(rows: Int32Array, capacity: number): Promise<void>
  release(): Promise<void>
}

export interface SessionRequest {
  readonly size: CacheSize
  readonly sampling: Pick<DecodeShape, 'greedy' | 'truncation'>
  /** Build the weights into step programs. */
  readonly frozen: boolean
}

export async function openSession(
  { backend, programs, files }: Engine,
  weights: WeightSource,
  { size: initialSize, sampling, frozen }: SessionRequest,
): Promise<DecodeSession> {
  const { config } = files
  const weightBytes = Object.values(files.weights).reduce((total, { data }) => total + data.byteLength, 0)
  let size = initialSize
  let cache = await backend.state({ tensors: cacheTensors(config, size) })
  const shape = (): DecodeShape => ({ rows: size.rows, capacity: size.capacity, ...sampling })

  return {
    get size() {
      return size
    },

    prefill: (width, feeds) =>
      programs.use(
        {
          key: `prefill ${JSON.stringify([width, shape()])}`,
          build: () => ({ program: prefillProgram(files, shape(), width), info: undefined }),
        },
        ({ run }) => run(feeds, [weights.state(), cache]),
      ),

    step: (feeds) =>
      programs.use(
        {
          key: `step ${JSON.stringify(shape())}`,
          build: () => ({ program: stepProgram(files, shape(), frozen), info: undefined }),
          ...(frozen && { frozen: { state: weights.state(), content: weights.content(), bytes: weightBytes } }),
        },
        // Borrowed weights may move between two runs: their place is asked for at each.
        ({ run }) => run(feeds, frozen ? [cache] : [weights.state(), cache]),
      ),

    async move(rows, capacity) {
      const from = size
      const to: CacheSize = { rows: rows.length, capacity }
      const target = await backend.state({ tensors: cacheTensors(config, to) })
      await programs.use(
        {
          key: `move ${JSON.stringify([from, to])}`,
          build: () => ({ program: moveProgram(config, from, to), info: undefined }),
        },
        ({ run }) => run({ rows, slot: Int32Array.of(0) }, [cache, target]),
      )
      const old = cache
      cache = target
      size = to
      await backend.release({ id: old })
    },

    release: () => backend.release({ id: cache }),
  }
}
