import {
  checkedProgram,
  checkFeeds,
  checkRows,
  checkWrite,
  frozenStates,
  graphErrors,
  ownCopy,
  resolveStates,
  wireInit,
} from '@collimate/backends'
import {
  type Backend,
  CollimateError,
  type ExecutableId,
  type HostTensor,
  type StateId,
  type StateInit,
} from '@collimate/core'
import { interpret, type Program, sizeOf } from '@collimate/graph'

type StateSet = ReadonlyMap<string, HostTensor>

/** Numbers ids over all backends of the process: an id that is shown to the wrong backend is unknown there. */
let ids = 0

/** A backend that interprets programs in float64 in the caller's thread. */
export function createInterpreterBackend(): Backend {
  const executables = new Map<ExecutableId, { program: Program; frozen: Readonly<Record<string, HostTensor>> }>()
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
  function bufferOf(id: StateId, name: string): HostTensor {
    const tensor = setOf(id).get(name)
    if (tensor) return tensor
    throw new CollimateError('COLLIMATE_STATE_UNKNOWN', `state set ${id} has no buffer named ${name}`)
  }
  function named(id: StateId, names?: readonly string[]): [string, HostTensor][] {
    return [...(names ?? setOf(id).keys())].map((name) => [name, bufferOf(id, name)])
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
      const names = frozenStates(frozen, setOf)
      const checked = checkedProgram(program, names, setOf)
      const constants = Object.fromEntries([...names].map(([name, id]) => [name, copyOf(bufferOf(id, name))]))
      const id: ExecutableId = `executable-${++ids}`
      executables.set(id, { program: checked, frozen: constants })
      return id
    },

    async run({ executable, feeds, states = [] }) {
      requireOpen()
      const known = executables.get(executable)
      if (!known) throw unknown('COLLIMATE_EXECUTABLE_UNKNOWN', `executable ${executable}`)
      const { program, frozen } = known
      const sets = resolveStates(
        program,
        new Set(Object.keys(frozen)),
        states.map((id) => [id, setOf(id)]),
      )
      const buffers = Object.entries(sets).map(([name, id]) => [name, bufferOf(id, name)])
      const checked = checkFeeds(program, feeds, Float64Array)
      checkRows(program, checked)
      const { outputs } = graphErrors(() =>
        interpret(program, { feeds: checked, states: { ...frozen, ...Object.fromEntries(buffers) } }),
      )
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
        checkWrite(name, own, given)
        return { own, data: ownCopy(`state ${name}`, own.dtype, own.shape, given.data, Float64Array) }
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

/** What a new buffer starts as. */
function initialValue(name: string, init: StateInit): HostTensor {
  const given = wireInit(name, init, Float64Array)
  if ('data' in given) return given
  const { dtype, shape, fill } = given
  const array = dtype === 'float' ? Float64Array : dtype === 'int' ? Int32Array : Uint8Array
  return { dtype, shape, data: new array(sizeOf(shape)).fill(fill) }
}
