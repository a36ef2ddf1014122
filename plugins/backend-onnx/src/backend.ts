import {
  CollimateError,
  type Backend,
  type DType,
  type ExecutableId,
  type HostTensor,
  type Program,
  type Shape,
  type StateId,
} from '@collimate/core'
import { compileProgram } from './compile.js'
import { encodeModel } from './onnx-model.js'
import { checkIndices, type IndexFeed } from './indices.js'
import { deviceNeeds } from './providers.js'
import { checkFeeds, checkRows, resolveStates } from './requests.js'
import { buffersOf, sameShape, wireData, wireInit } from './tensors.js'
import { settleTf32 } from './tf32.js'
import { takeDevice } from './webgpu-guard.js'
import { WorkerClient } from './worker-client.js'
import type { Requests, SessionSettings, Verb } from './worker/protocol.js'

type TensorType = { readonly dtype: DType; readonly shape: Shape }
/** What the client knows of a state set, so that it can refuse a request before anything happens. */
export type StateTypes = ReadonlyMap<string, TensorType>

/** What the client knows of an executable. */
interface Known {
  readonly program: Program
  readonly frozen: ReadonlySet<string>
  readonly indices: readonly IndexFeed[]
}

/** Numbers ids over all backends of the process: an id that is shown to the wrong backend is unknown there. */
let ids = 0

/**
 * Starts a worker thread with ONNX Runtime on `settings.device`.
 * COLLIMATE_PROVIDER_UNAVAILABLE names what is missing where the device does not work here.
 */
export async function createBackend(settings: SessionSettings): Promise<Backend> {
  const giveBack = takeDevice(settings.device)
  const undoTf32 = settings.device === 'cuda' ? settleTf32(settings.tf32 ?? false) : undefined
  const worker = new WorkerClient()
  try {
    await worker.call('open', { settings, probe: probeModel() })
  } catch (error) {
    const failure = error as CollimateError
    await worker.end(failure)
    giveBack()
    undoTf32?.()
    throw new CollimateError(failure.code, failure.message, { hint: deviceNeeds[settings.device], cause: failure })
  }
  return new OnnxBackend(worker, settings, giveBack)
}

class OnnxBackend implements Backend {
  readonly #worker: WorkerClient
  readonly #settings: SessionSettings
  readonly #giveBack: () => void
  readonly #programs = new Map<ExecutableId, Known>()
  readonly #states = new Map<StateId, StateTypes>()
  #closed: Promise<void> | undefined

  constructor(worker: WorkerClient, settings: SessionSettings, giveBack: () => void) {
    this.#worker = worker
    this.#settings = settings
    this.#giveBack = giveBack
  }

  async capabilities() {
    const { device, threads } = this.#settings
    return { backend: 'onnx', device, precision: 'float32' as const, threads }
  }

  async compile({ program, frozen = [] }: Parameters<Backend['compile']>[0]): Promise<ExecutableId> {
    const frozenStates = new Map<string, StateId>()
    for (const id of frozen) {
      for (const name of this.#types(id).keys()) if (!frozenStates.has(name)) frozenStates.set(name, id)
    }
    const compiled = compileProgram(program, frozenStates, (id) => this.#types(id), this.#settings.device)
    const id: ExecutableId = `executable-${++ids}`
    await this.#call('compile', { id, program: compiled })
    this.#programs.set(id, { program, frozen: new Set(frozenStates.keys()), indices: compiled.indices })
    return id
  }

  async run({ executable, feeds, states = [] }: Parameters<Backend['run']>[0]) {
    const known = this.#programs.get(executable)
    if (!known) throw this.#unknown('COLLIMATE_EXECUTABLE_UNKNOWN', 'executable', executable)
    const sets = states.map((id) => [id, this.#types(id)] as const)
    const resolved = resolveStates(known.program, known.frozen, sets)
    const wire = checkFeeds(known.program, feeds)
    checkRows(known.program, feeds)
    checkIndices(known.program.name, known.indices, wire)
    return this.#call('run', { id: executable, feeds: wire, states: resolved }, buffersOf(Object.values(wire)))
  }

  async state({ tensors }: Parameters<Backend['state']>[0]): Promise<StateId> {
    const wire = Object.fromEntries(Object.entries(tensors).map(([name, init]) => [name, wireInit(name, init)]))
    const id: StateId = `state-${++ids}`
    await this.#call('state', { id, tensors: wire }, buffersOf(Object.values(wire)))
    this.#states.set(id, typesOf(Object.entries(tensors)))
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
      const { dtype, shape } = types.get(name) as TensorType
      if (tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) {
        throw new CollimateError(
          'COLLIMATE_STATE_MISMATCH',
          `state ${name} is ${dtype} [${shape.join(', ')}]; ${tensor.dtype} [${tensor.shape.join(', ')}] cannot be written into it`,
        )
      }
      wire[name] = { dtype, shape, data: wireData(`state ${name}`, dtype, shape, tensor.data) }
    }
    await this.#call('write', { id: state, tensors: wire }, buffersOf(Object.values(wire)))
  }

  async copy({ state, names }: Parameters<Backend['copy']>[0]): Promise<StateId> {
    const types = this.#types(state)
    const wanted = this.#names(state, types, names)
    const target: StateId = `state-${++ids}`
    await this.#call('copy', { id: state, names: wanted, target })
    this.#states.set(target, typesOf(wanted.map((name) => [name, types.get(name) as TensorType])))
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
    this.#closed ??= this.#worker
      .call('close', {})
      .catch(() => null)
      .then(() => this.#worker.end(new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')))
      .finally(this.#giveBack)
    return this.#closed
  }

  #call<V extends Verb>(verb: V, request: Requests[V]['request'], transfer: readonly ArrayBuffer[] = []) {
    if (this.#closed) throw new CollimateError('COLLIMATE_BACKEND_CLOSED', 'the backend is closed')
    return this.#worker.call(verb, request, transfer)
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

const typesOf = (entries: Iterable<readonly [string, TensorType]>): StateTypes =>
  new Map([...entries].map(([name, { dtype, shape }]) => [name, { dtype, shape }]))

/** The smallest model: creating a session of it shows whether the device works. */
function probeModel(): Uint8Array<ArrayBuffer> {
  const value = (name: string) => ({ name, type: 'float32' as const, shape: [1] })
  return encodeModel({
    name: 'probe',
    nodes: [{ type: 'Add', name: 'add', inputs: ['x', 'x'], outputs: ['y'] }],
    inputs: [value('x')],
    outputs: [value('y')],
    initializers: [],
  })
}
