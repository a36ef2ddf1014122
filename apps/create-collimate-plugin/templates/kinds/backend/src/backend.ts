import {
  CollimateError,
  type Backend,
  type Bus,
  type ExecutableId,
  type HostTensor,
  type StateId,
} from '@collimate/core'
import { checkProgram, interpret, type Program } from '@collimate/graph'
import { checkFeeds, checkRows, checkStates, initialTensor, ownValues } from './checks.js'

/** Buffers by name. */
type StateSet = ReadonlyMap<string, HostTensor>

declare module '@collimate/core' {
  interface CollimateEvents {
    /** Runs of each program so far, by its name: every `every` runs, and at the end. */
    'backend.counted': { runs: Readonly<Record<string, number>> }
  }
}

export interface BackendOptions {
  /** Runs between two `backend.counted` events. */
  readonly every: number
}

let lastId = 0

/**
 * A backend that interprets programs in float64 and counts the runs of each.
 *
 * To write a real one, put your device in the place of the three commented lines in `compile`, `run` and `state`; the checks
 * around them are what the contract asks of every backend. Which ops there are: `opNames` of @collimate/graph; `decompose` takes
 * apart those that a device does not have.
 */
export function createBackend({ every }: BackendOptions, bus: Pick<Bus, 'emit'>): Backend {
  const executables = new Map<ExecutableId, { program: Program; frozen: StateSet }>()
  const sets = new Map<StateId, StateSet>()
  const counts = new Map<string, number>()
  let [total, closed] = [0, false]

  const tell = (): void => bus.emit('backend.counted', { runs: Object.fromEntries(counts) })
  const requireOpen = (): void => {
    if (closed) throw new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')
  }
  function setOf(id: StateId): StateSet {
    requireOpen()
    const set = sets.get(id)
    if (set === undefined) throw new CollimateError('COLLIMATE_STATE_UNKNOWN', `there is no state set ${id}`)
    return set
  }
  /** All buffers of a set, or the named ones. */
  function buffers(id: StateId, names?: readonly string[]): [string, HostTensor][] {
    const set = setOf(id)
    return [...(names ?? set.keys())].map((name) => {
      const tensor = set.get(name)
      if (tensor === undefined)
        throw new CollimateError('COLLIMATE_STATE_UNKNOWN', `state set ${id} has no buffer ${name}`)
      return [name, tensor]
    })
  }
  function keep(set: StateSet): StateId {
    const id: StateId = `state-${++lastId}`
    sets.set(id, set)
    return id
  }
  /** Several sets as one; the first that has a name wins. */
  const together = (ids: readonly StateId[]): StateSet =>
    new Map(
      ids
        .map(setOf)
        .reverse()
        .flatMap((set) => [...set]),
    )

  return {
    async capabilities() {
      return { backend: '__name__', device: 'cpu', precision: 'float64', threads: 1 }
    },

    async compile({ program: given, frozen = [] }) {
      requireOpen()
      const program = checkProgram(given)
      // Frozen states are constants of the executable: later writes to them are not seen.
      const constants = new Map([...together(frozen)].map(([name, tensor]) => [name, copied(tensor)]))
      const updated = program.updates.find(({ state }) => constants.has(state))
      if (updated !== undefined)
        throw new CollimateError(
          'COLLIMATE_PROGRAM_INVALID',
          `${program.name} updates ${updated.state}, which is frozen`,
        )
      checkStates(program, constants, { partial: true })
      // A device would translate and compile the program here.
      const id: ExecutableId = `executable-${++lastId}`
      executables.set(id, { program, frozen: constants })
      return id
    },

    async run({ executable, feeds: given, states = [] }) {
      requireOpen()
      const found = executables.get(executable)
      if (found === undefined)
        throw new CollimateError('COLLIMATE_EXECUTABLE_UNKNOWN', `there is no executable ${executable}`)
      const { program, frozen } = found
      const values = new Map([...together(states), ...frozen])
      checkStates(program, values, { partial: false })
      const feeds = checkFeeds(program, given)
      checkRows(program, feeds)
      // A device would run the program here. After a failure every state buffer must hold what it held before.
      const { outputs } = interpret(program, { feeds, states: Object.fromEntries(values) })
      counts.set(program.name, (counts.get(program.name) ?? 0) + 1)
      total += 1
      if (total % every === 0) tell()
      return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]))
    },

    async state({ tensors }) {
      requireOpen()
      // A device would allocate memory here and copy the values in.
      return keep(new Map(Object.entries(tensors).map(([name, init]) => [name, initialTensor(name, init)])))
    },

    async read({ state, names }) {
      return Object.fromEntries(buffers(state, names).map(([name, tensor]) => [name, copied(tensor)]))
    },

    async write({ state, tensors }) {
      // Everything is checked before anything is written: all enter, or none.
      const writes = buffers(state, Object.keys(tensors)).map(([name, own]) => {
        checkStates({ name: 'write', inputs: [{ ...own, name, role: 'state' }] }, new Map([[name, tensors[name]]]))
        return { own, values: ownValues(`state ${name}`, tensors[name]) }
      })
      for (const { own, values } of writes) own.data.set(values)
    },

    async copy({ state, names }) {
      return keep(new Map(buffers(state, names).map(([name, tensor]) => [name, copied(tensor)])))
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
      if (closed) return
      closed = true
      executables.clear()
      sets.clear()
      if (total > 0) tell()
    },
  }
}

const copied = ({ dtype, shape, data }: HostTensor): HostTensor => ({ dtype, shape, data: data.slice() })
