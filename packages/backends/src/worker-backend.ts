import {
  CollimateError,
  type Backend,
  type BackendCapabilities,
  type ExecutableId,
  type HostTensor,
  type Program,
  type StateId,
  type TensorData,
} from '@collimate/core'
import { type Frozen, frozenStates } from './prepare-program.js'
import type { Requests, Verb } from './protocol.js'
import { checkFeeds, checkRows, checkWrite, resolveStates, type StateTypes, type TensorType } from './requests.js'
import { buffersOf, ownCopy, wireInit } from './tensors.js'
import type { WorkerClient } from './worker-client.js'

/** What one backend in a worker thread has of its own. */
export interface WorkerBackendParts<Compiled, Open, Opened> {
  /** Its thread, which has answered `open`. */
  readonly worker: WorkerClient<Requests<Open, Compiled, Opened>>
  readonly capabilities: BackendCapabilities
  /** What the thread needs to run a program. `check` refuses feeds that its kernels would not. */
  compile(
    program: Program,
    frozen: Frozen,
    typesOf: (id: StateId) => StateTypes,
  ): { readonly compiled: Compiled; readonly check?: (feeds: Readonly<Record<string, TensorData>>) => void }
  /** After the thread has ended. */
  readonly closed?: () => void
}

/** What is known of an executable. */
interface Known {
  readonly program: Program
  readonly frozen: Frozen
  readonly check?: ((feeds: Readonly<Record<string, TensorData>>) => void) | undefined
}

/** Numbers ids over all backends of the process: an id that is shown to the wrong backend is unknown there. */
let ids = 0

/**
 * A backend whose work is done by an engine in a worker thread. Requests are checked on the caller's side, so that what is
 * refused has changed nothing.
 */
export class WorkerBackend<Compiled, Open, Opened> implements Backend {
  readonly #parts: WorkerBackendParts<Compiled, Open, Opened>
  readonly #programs = new Map<ExecutableId, Known>()
  readonly #states = new Map<StateId, StateTypes>()
  #closed: Promise<void> | undefined

  constructor(parts: WorkerBackendParts<Compiled, Open, Opened>) {
    this.#parts = parts
  }

  async capabilities(): Promise<BackendCapabilities> {
    return this.#parts.capabilities
  }

  async compile({ program, frozen = [] }: Parameters<Backend['compile']>[0]): Promise<ExecutableId> {
    const typesOf = (set: StateId) => this.#types(set)
    const constants = frozenStates(frozen, typesOf)
    const { compiled, check } = this.#parts.compile(program, constants, typesOf)
    const id: ExecutableId = `executable-${++ids}`
    await this.#call('compile', { id, program: compiled })
    this.#programs.set(id, { program, frozen: constants, check })
    return id
  }

  async run({ executable, feeds, states = [] }: Parameters<Backend['run']>[0]) {
    const known = this.#programs.get(executable)
    if (!known) throw this.#unknown('COLLIMATE_EXECUTABLE_UNKNOWN', 'executable', executable)
    const sets = states.map((id) => [id, this.#types(id)] as const)
    const resolved = resolveStates(known.program, known.frozen, sets)
    const wire = checkFeeds(known.program, feeds)
    checkRows(known.program, feeds)
    known.check?.(wire)
    return this.#call('run', { id: executable, feeds: wire, states: resolved }, buffersOf(Object.values(wire)))
  }

  async state({ tensors }: Parameters<Backend['state']>[0]): Promise<StateId> {
    const wire = Object.fromEntries(Object.entries(tensors).map(([name, init]) => [name, wireInit(name, init)]))
    const id: StateId = `state-${++ids}`
    await this.#call('state', { id, tensors: wire }, buffersOf(Object.values(wire)))
    this.#states.set(id, typesIn(Object.entries(tensors)))
    return id
  }

  async read({ state, names }: Parameters<Backend['read']>[0]) {
    const types = this.#types(state)
    return this.#call('read', { id: state, names: this.#names(state, types, names) })
  }

  async write({ state, tensors }: Parameters<Backend['write']>[0]): Promise<void> {
    const types = this.#types(state)
    const wire: Record<string, HostTensor> = {}
    for (const [name, tensor] of Object.entries(tensors)) {
      this.#names(state, types, [name])
      const own = types.get(name) as TensorType
      checkWrite(name, own, tensor)
      const { dtype, shape } = own
      wire[name] = { dtype, shape, data: ownCopy(`state ${name}`, dtype, shape, tensor.data) }
    }
    await this.#call('write', { id: state, tensors: wire }, buffersOf(Object.values(wire)))
  }

  async copy({ state, names }: Parameters<Backend['copy']>[0]): Promise<StateId> {
    const types = this.#types(state)
    const wanted = this.#names(state, types, names)
    const target: StateId = `state-${++ids}`
    await this.#call('copy', { id: state, names: wanted, target })
    this.#states.set(target, typesIn(wanted.map((name) => [name, types.get(name) as TensorType])))
    return target
  }

  async release({ id }: Parameters<Backend['release']>[0]): Promise<void> {
    if (this.#closed) return
    this.#programs.delete(id)
    this.#states.delete(id)
    await this.#call('release', { id })
  }

  async usage() {
    return this.#call('usage', {})
  }

  close(): Promise<void> {
    const { worker, closed } = this.#parts
    this.#closed ??= worker
      .call('close', {})
      .catch(() => null)
      .then(() => worker.end(new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')))
      .finally(closed)
    return this.#closed
  }

  #call<V extends Verb>(
    verb: V,
    request: Requests<Open, Compiled, Opened>[V]['request'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Requests<Open, Compiled, Opened>[V]['reply']> {
    if (this.#closed) throw new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')
    return this.#parts.worker.call(verb, request, transfer)
  }

  #types(id: StateId): StateTypes {
    const types = this.#states.get(id)
    if (!types) throw this.#unknown('COLLIMATE_STATE_UNKNOWN', 'state set', id)
    return types
  }

  #names(id: StateId, types: StateTypes, names: readonly string[] = [...types.keys()]): readonly string[] {
    const missing = names.find((name) => !types.has(name))
    if (missing === undefined) return names
    throw new CollimateError('COLLIMATE_STATE_UNKNOWN', `state set ${id} has no buffer named ${missing}`)
  }

  #unknown(code: `COLLIMATE_${string}`, what: string, id: string): CollimateError {
    if (this.#closed) return new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')
    return new CollimateError(code, `this backend has no ${what} ${id}`, {
      hint: 'it was released, or belongs to another backend',
    })
  }
}

const typesIn = (entries: Iterable<readonly [string, TensorType]>): StateTypes =>
  new Map([...entries].map(([name, { dtype, shape }]) => [name, { dtype, shape }]))
