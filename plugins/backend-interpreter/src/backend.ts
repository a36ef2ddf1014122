import { type Backend, CollimateError, type ExecutableId, type HostTensor, type StateId } from '@collimate/core'
import { checkProgram, GraphError, interpret, type Program } from '@collimate/graph'
import { type Bound, checkFeeds, checkRows, requireStates, requireType } from './requests.js'
import { initialValue, ownCopy } from './tensors.js'

type StateSet = ReadonlyMap<string, HostTensor>

/** Numbers ids over all backends of the process: an id that is shown to the wrong backend is unknown there. */
let ids = 0

/** A backend that interprets programs in float64 in the caller's thread. */
export function createInterpreterBackend(): Backend {
  const executables = new Map<ExecutableId, { program: Program; frozen: Bound }>()
  const sets = new Map<StateId, StateSet>()
  let closed = false

  function requireOpen(): void {
    if (closed) throw new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')
  }
  function unknown(code: `COLLIMATE_${string}`, what: string): CollimateError {
    return new CollimateError(code, `this backend has no ${what}`, {
      hint: 'it was released, or belongs to another backend',
    })
  }
  function setOf(id: StateId): StateSet {
    requireOpen()
    const set = sets.get(id)
    if (!set) throw unknown('COLLIMATE_STATE_UNKNOWN', `state set ${id}`)
    return set
  }
  function named(id: StateId, names?: readonly string[]): [string, HostTensor][] {
    const set = setOf(id)
    return [...(names ?? set.keys())].map((name) => {
      const tensor = set.get(name)
      if (!tensor) throw new CollimateError('COLLIMATE_STATE_UNKNOWN', `state set ${id} has no buffer named ${name}`)
      return [name, tensor]
    })
  }
  function keep(set: StateSet): StateId {
    const id: StateId = `state-${++ids}`
    sets.set(id, set)
    return id
  }

  return {
    async capabilities() {
      return { backend: 'interpreter', device: 'cpu', precision: 'float64', threads: 1 }
    },

    async compile({ program, frozen = [] }) {
      requireOpen()
      const checked = translated(() => checkProgram(program))
      const constants = Object.fromEntries(
        Object.entries(bound(frozen.map(setOf))).map(([name, value]) => [name, copyOf(value)]),
      )
      const updated = checked.updates.find(({ state }) => Object.hasOwn(constants, state))
      if (updated) {
        throw new CollimateError(
          'COLLIMATE_PROGRAM_INVALID',
          `${program.name} updates ${updated.state}, which is frozen`,
        )
      }
      requireStates(checked, constants, true)
      const id: ExecutableId = `executable-${++ids}`
      executables.set(id, { program: checked, frozen: constants })
      return id
    },

    async run({ executable, feeds, states = [] }) {
      requireOpen()
      const known = executables.get(executable)
      if (!known) throw unknown('COLLIMATE_EXECUTABLE_UNKNOWN', `executable ${executable}`)
      const { program, frozen } = known
      const values = { ...bound(states.map(setOf)), ...frozen }
      requireStates(program, values, false)
      const checked = checkFeeds(program, feeds)
      checkRows(program, checked)
      const { outputs } = translated(() => interpret(program, { feeds: checked, states: values }))
      // The interpreter works in the caller's thread: timers and signals get their turn between runs.
      await new Promise((resolve) => setImmediate(resolve))
      return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]))
    },

    async state({ tensors }) {
      requireOpen()
      return keep(new Map(Object.entries(tensors).map(([name, init]) => [name, initialValue(name, init)])))
    },

    async read({ state, names }) {
      return Object.fromEntries(named(state, names).map(([name, tensor]) => [name, copyOf(tensor)]))
    },

    async write({ state, tensors }) {
      const writes = named(state, Object.keys(tensors)).map(([name, own]) => {
        const given = tensors[name]
        requireType(`state ${name}`, own, given)
        return { own, data: ownCopy(`state ${name}`, own.dtype, own.shape, given.data) }
      })
      for (const { own, data } of writes) own.data.set(data)
    },

    async copy({ state, names }) {
      return keep(new Map(named(state, names).map(([name, tensor]) => [name, copyOf(tensor)])))
    },

    async release({ id }) {
      executables.delete(id)
      sets.delete(id)
    },

    async usage() {
      let bytes = 0
      for (const set of sets.values()) for (const { data } of set.values()) bytes += data.byteLength
      return { executables: executables.size, states: sets.size, bytes }
    },

    async close() {
      closed = true
      executables.clear()
      sets.clear()
    },
  }
}

const copyOf = ({ dtype, shape, data }: HostTensor): HostTensor => ({ dtype, shape, data: data.slice() })

/** The buffers of several sets; the first set that has a name wins. */
function bound(sets: readonly StateSet[]): Bound {
  return Object.fromEntries([...sets].reverse().flatMap((set) => [...set]))
}

/** Errors of the graph as errors of the contract. */
function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    throw new CollimateError(error.code, error.message, { hint: error.hint, cause: error })
  }
}
