import type { Backend, ExecutableId, Program, StateId, TensorData } from '@collimate/core'
import { workingMemory } from './working-memory.js'

export interface ProgramRequest<Info> {
  /** Everything that the program depends on: shapes, objective, sampling. */
  readonly key: string
  /** Makes the program, and what its caller wants to know of it later. */
  readonly build: () => { readonly program: Program; readonly info: Info }
  /** State built into the executable, its bytes, and the name of its present content; without it weights are read at each run. */
  readonly frozen?: { readonly state: StateId; readonly bytes: number; readonly content: string }
}

export interface Compiled<Info> {
  readonly info: Info
  /** Runs it once. Of the feeds those are taken that the program has; a missing one is refused by the backend. */
  run(feeds: Readonly<Record<string, TensorData>>, states: readonly StateId[]): Promise<Record<string, TensorData>>
}

export interface ProgramCache {
  /** Gives the program to `work`, compiled where it is not there yet; it is not released before `work` has ended. */
  use<Info, Result>(request: ProgramRequest<Info>, work: (compiled: Compiled<Info>) => Promise<Result>): Promise<Result>
  /** Releases the executables that have this content built in: it has changed. */
  forget(content: string): Promise<void>
  close(): Promise<void>
}

interface Entry {
  readonly executable: Promise<ExecutableId>
  readonly compiled: Compiled<unknown>
  readonly content: string | undefined
  /** Estimate of the memory that it holds. */
  readonly bytes: number
  users: number
}

/** A compiled program holds some memory however small it is. */
const LEAST_BYTES = 2 ** 22

/**
 * Executables by key. While they hold more than `budget` bytes beside the largest, by estimate, the least recently used are
 * released; the one that was used last stays. The largest is free, or a step whose program is larger than the budget would
 * compile it again each time.
 */
export function createProgramCache(backend: Backend, budget: number): ProgramCache {
  // A Map iterates in the order of insertion: an entry that is used again moves to the end.
  const entries = new Map<string, Entry>()

  function createEntry({ build, frozen }: ProgramRequest<unknown>): Entry {
    const { program, info } = build()
    const feedNames = program.inputs.filter(({ role }) => role === 'feed').map(({ name }) => name)
    const executable = backend.compile({ program, ...(frozen && { frozen: [frozen.state] }) })
    const compiled: Compiled<unknown> = {
      info,
      async run(feeds, states) {
        const taken = feedNames.filter((name) => name in feeds).map((name) => [name, feeds[name]])
        return backend.run({ executable: await executable, feeds: Object.fromEntries(taken), states })
      },
    }
    // A backend holds frozen weights as given and once more in the layout of its kernels.
    const bytes = Math.max(LEAST_BYTES, workingMemory(program)) + 2 * (frozen?.bytes ?? 0)
    return { executable, compiled, content: frozen?.content, bytes, users: 0 }
  }

  /** Releases an entry, unless others have done so while the caller waited: its key may have a new one then. */
  async function remove(key: string, entry: Entry): Promise<void> {
    if (entries.get(key) !== entry) return
    entries.delete(key)
    const id = await entry.executable.catch(() => undefined)
    if (id !== undefined) await backend.release({ id })
  }

  async function evict(): Promise<void> {
    for (const [key, entry] of [...entries].slice(0, -1)) {
      const held = [...entries.values()].map(({ bytes }) => bytes)
      if (held.reduce((total, bytes) => total + bytes) - Math.max(...held) <= budget) return
      if (entry.users === 0) await remove(key, entry)
    }
  }

  return {
    async use<Info, Result>(request: ProgramRequest<Info>, work: (compiled: Compiled<Info>) => Promise<Result>) {
      const key = request.frozen === undefined ? request.key : `${request.key} ${request.frozen.content}`
      const entry = entries.get(key) ?? createEntry(request)
      entries.delete(key)
      entries.set(key, entry)
      entry.users++
      try {
        // A program that does not compile is not kept: what failed once may pass later.
        await entry.executable.catch((error: unknown) => {
          if (entries.get(key) === entry) entries.delete(key)
          throw error
        })
        return await work(entry.compiled as Compiled<Info>)
      } finally {
        entry.users--
        await evict()
      }
    },

    async forget(content) {
      const stale = [...entries].filter(([, entry]) => entry.content === content)
      await Promise.all(stale.map(([key, entry]) => remove(key, entry)))
    },

    async close() {
      await Promise.all([...entries].map(([key, entry]) => remove(key, entry)))
    },
  }
}
