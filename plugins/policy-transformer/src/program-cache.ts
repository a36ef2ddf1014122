import type { Backend, ExecutableId, Program, StateId, TensorData } from '@collimate/core'

export interface ProgramRequest<Info> {
  /** Everything that the program depends on: shapes, objective, sampling. */
  readonly key: string
  /** Makes the program, and what its caller wants to know of it later. */
  readonly build: () => { readonly program: Program; readonly info: Info }
  /** State built into the executable, and the name of its present content; without it weights are read at each run. */
  readonly frozen?: { readonly state: StateId; readonly content: string }
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
  users: number
}

/** Executables by key; beyond the limits, `frozenLimit` for those with weights built in, the least recently used are released. */
export function createProgramCache(backend: Backend, limit: number, frozenLimit: number): ProgramCache {
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
    return { executable, compiled, content: frozen?.content, users: 0 }
  }

  async function remove(key: string, entry: Entry): Promise<void> {
    entries.delete(key)
    const id = await entry.executable.catch(() => undefined)
    if (id !== undefined) await backend.release({ id })
  }

  async function evict(): Promise<void> {
    for (const frozen of [false, true]) {
      const candidates = [...entries].filter(([, entry]) => (entry.content !== undefined) === frozen)
      const idle = candidates.filter(([, entry]) => entry.users === 0)
      const surplus = Math.max(0, candidates.length - (frozen ? frozenLimit : limit))
      await Promise.all(idle.slice(0, surplus).map(([key, entry]) => remove(key, entry)))
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
          entries.delete(key)
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
