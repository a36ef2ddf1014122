import { type Engine as WorkerEngine, Failure } from '@collimate/backends/worker'
import type { DType, TensorData } from '@collimate/core'
import type * as Onnx from 'onnxruntime-node'
import type { CompiledProgram, CompiledUpdate } from '../compiled.js'
import { DeviceStates } from './device-states.js'
import { HeldSession } from './held-session.js'
import { messageOf } from './message-of.js'
import type { OnnxRequests as Requests, SessionSettings } from './protocol.js'
import { compileModules, livesTogether, runElementwise } from './run-elementwise.js'
import { DeviceValue, StateSet } from './state-set.js'

type OnnxRuntime = Pick<typeof Onnx, 'env' | 'InferenceSession' | 'Tensor' | 'listSupportedBackends'>

interface Executable {
  readonly program: CompiledProgram
  readonly modules: readonly WebAssembly.Module[]
  /** Absent until the first run that needs it, where a program runs as passes. */
  held?: HeldSession
}

const onnxTypes = { float: 'float32', int: 'int32', bool: 'bool' } as const

/** Sessions and states of one backend; every verb of the protocol is a method. The client has checked the requests. */
export class Engine implements WorkerEngine<Requests> {
  #runtime: OnnxRuntime | undefined
  #settings: SessionSettings | undefined
  readonly #executables = new Map<string, Executable>()
  readonly #states = new Map<string, StateSet>()
  /** Where states stay in the memory of the device between runs: webgpu; for other devices ONNX Runtime has no way. */
  #device: DeviceStates | undefined

  async open({ settings, probe }: Requests['open']['request']): Promise<null> {
    this.#settings = settings
    try {
      this.#runtime = await import('onnxruntime-node')
    } catch (error) {
      throw new Failure('COLLIMATE_BACKEND_UNAVAILABLE', `onnxruntime-node does not load here: ${messageOf(error)}`)
    }
    // What goes wrong is told by errors, not on the terminal.
    this.#runtime.env.logLevel = 'fatal'
    const supported = this.#runtime.listSupportedBackends().map(({ name }) => name)
    if (!supported.includes(settings.device)) {
      throw new Failure(
        'COLLIMATE_PROVIDER_UNAVAILABLE',
        `onnxruntime-node has no ${settings.device} provider for ${process.platform}-${process.arch}; it has ${supported.join(', ')}`,
      )
    }
    try {
      await this.#try(probe)
    } catch (error) {
      const precision = settings.precision === 'float16' ? ' in float16' : ''
      const why = messageOf(error).replace(`${probe.name}: `, '')
      throw new Failure(
        'COLLIMATE_PROVIDER_UNAVAILABLE',
        `the ${settings.device} provider does not start${precision}: ${why}`,
      )
    }
    if (settings.device === 'webgpu') {
      this.#device = new DeviceStates((model, outputs) => this.#createSession({ model, frozen: [], outputs }))
    }
    return null
  }

  async compile({ id, program }: Requests['compile']['request']): Promise<null> {
    const executable: Executable = { program, modules: program.elementwise ? compileModules(program.elementwise) : [] }
    if (!program.elementwise) await this.#session(executable)
    this.#executables.set(id, executable)
    return null
  }

  async run({ id, feeds, states }: Requests['run']['request']): Promise<Record<string, TensorData>> {
    const executable = this.#executable(id)
    const { program } = executable
    const find = (name: string) => this.#set(states[name] ?? name)
    if (program.elementwise && livesTogether(program.elementwise, find)) {
      return runElementwise(program.elementwise, executable.modules, feeds, find)
    }
    const held = await this.#session(executable)
    if (!held) return {}

    // With outputs on the device ONNX Runtime takes no buffers for the others.
    const bound = program.updates.some(({ resident }) => resident)
    const spared = program.updates.filter(({ at }) => !at && !bound)
    for (const { state } of spared) find(state).reserveSpare(state)

    const inputs: Record<string, Onnx.Tensor> = {}
    for (const { role, name, value, dtype, shape, resident } of program.inputs) {
      const host = () => this.#tensor(dtype, role === 'feed' ? feeds[name] : find(name).view(name), shape)
      inputs[value] = this.#device && resident ? await this.#device.tensor(find(name), name, host) : host()
    }
    const fetches: Record<string, Onnx.Tensor | null> = {}
    for (const { value } of program.outputs) fetches[value] = null
    for (const { value } of program.updates) fetches[value] = null
    for (const update of spared) fetches[update.value] = this.#spare(update, find(update.state))

    const results = await held.session.run(inputs, fetches).catch((error: unknown) => {
      throw new Failure('COLLIMATE_BACKEND_RUN', `${program.name}: ${messageOf(error)}`)
    })
    for (const update of program.updates) {
      const set = find(update.state)
      const result = results[update.value] as Onnx.Tensor
      if (update.at) writeRows(update.at, feeds, set, update.state, result.data as TensorData)
      else if (update.resident) set.keepOnDevice(update.state, deviceValue(result, held))
      else if (bound) set.view(update.state).set(result.data as TensorData)
      else set.swap(update.state)
    }
    return Object.fromEntries(program.outputs.map(({ name, value }) => [name, results[value]?.data as TensorData]))
  }

  state({ id, tensors }: Requests['state']['request']): null {
    const set = new StateSet(tensors)
    for (const [name, tensor] of Object.entries(tensors)) set.initialise(name, tensor)
    this.#states.set(id, set)
    return null
  }

  async read({ id, names }: Requests['read']['request']): Promise<Requests['read']['reply']> {
    const set = this.#set(id)
    for (const name of names) await this.#device?.fetch(set, name)
    return Object.fromEntries(names.map((name) => [name, set.read(name)]))
  }

  write({ id, tensors }: Requests['write']['request']): null {
    const set = this.#set(id)
    for (const [name, tensor] of Object.entries(tensors)) {
      set.view(name).set(tensor.data)
      set.leaveDevice(name)
    }
    return null
  }

  copy({ id, names, target }: Requests['copy']['request']): null {
    const source = this.#set(id)
    const copy = new StateSet(Object.fromEntries(names.map((name) => [name, source.buffer(name)])))
    for (const name of names) {
      const { device } = source.buffer(name)
      if (device) copy.keepOnDevice(name, device.share())
      else copy.view(name).set(source.view(name))
    }
    this.#states.set(target, copy)
    return null
  }

  async release({ id }: Requests['release']['request']): Promise<null> {
    const executable = this.#executables.get(id)
    this.#executables.delete(id)
    this.#states.get(id)?.release()
    this.#states.delete(id)
    await executable?.held?.letGo()
    return null
  }

  usage(): Requests['usage']['reply'] {
    const bytes = [...this.#states.values()].reduce((sum, set) => sum + set.bytes, 0)
    return { executables: this.#executables.size, states: this.#states.size, bytes }
  }

  async close(): Promise<null> {
    for (const id of [...this.#executables.keys(), ...this.#states.keys()]) await this.release({ id })
    await this.#device?.close()
    return null
  }

  /** Some devices find out in the first run what they lack. */
  async #try(probe: CompiledProgram): Promise<void> {
    await this.compile({ id: probe.name, program: probe })
    const { y } = await this.run({ id: probe.name, feeds: { x: Float32Array.of(1.5, 1) }, states: {} })
    await this.release({ id: probe.name })
    if (y?.[0] !== 2.25) throw new Error(`it computes wrongly: 1.5 · 1.5 = ${y?.[0]}`)
  }

  async #session(executable: Executable): Promise<HeldSession | undefined> {
    if (executable.held) return executable.held
    const { model, name, frozen, outputs: returned, updates } = executable.program
    if (!model) return undefined
    // Where one output stays on the device, ONNX Runtime has to be told of each.
    const outputs = Object.fromEntries([
      ...returned.map(({ value }) => [value, 'cpu'] as const),
      ...updates.map((update) => [update.value, update.resident ? 'gpu-buffer' : 'cpu'] as const),
    ])
    try {
      for (const { state, name: buffer } of frozen) await this.#device?.fetch(this.#set(state), buffer)
      return (executable.held = new HeldSession(await this.#createSession({ model, frozen, outputs })))
    } catch (error) {
      throw new Failure('COLLIMATE_BACKEND_COMPILE', `${name}: ${messageOf(error)}`)
    }
  }

  #createSession({
    model,
    frozen,
    outputs = {},
  }: Required<Pick<CompiledProgram, 'model' | 'frozen'>> & {
    readonly outputs?: Readonly<Record<string, 'cpu' | 'gpu-buffer'>>
  }): Promise<Onnx.InferenceSession> {
    if (!this.#runtime || !this.#settings) throw new Failure('COLLIMATE_BACKEND_UNAVAILABLE', 'the backend is not open')
    const { device, threads, arena, spinning } = this.#settings
    const externalData = frozen.map(({ path, state, name }) => {
      const { buffer, byteOffset, byteLength } = this.#set(state).view(name)
      return { path, data: new Uint8Array(buffer, byteOffset, byteLength) }
    })
    return this.#runtime.InferenceSession.create(model, {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableCpuMemArena: arena,
      enableMemPattern: arena,
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } } },
      ...(externalData.length > 0 ? { externalData } : {}),
      ...(Object.values(outputs).includes('gpu-buffer') ? { preferredOutputLocation: outputs } : {}),
    })
  }

  #tensor(dtype: DType, data: TensorData | undefined, shape: readonly number[]): Onnx.Tensor {
    if (!this.#runtime || !data) throw new Failure('COLLIMATE_BACKEND_RUN', 'a tensor without data')
    return new this.#runtime.Tensor(onnxTypes[dtype], data as Float32Array, shape)
  }

  #spare(update: CompiledUpdate, set: StateSet): Onnx.Tensor {
    const { dtype, shape } = set.buffer(update.state)
    return this.#tensor(dtype, set.view(update.state, 'spare'), shape)
  }

  #executable(id: string): Executable {
    const executable = this.#executables.get(id)
    if (!executable) throw new Failure('COLLIMATE_EXECUTABLE_UNKNOWN', `there is no executable ${id}`)
    return executable
  }

  #set(id: string): StateSet {
    const set = this.#states.get(id)
    if (!set) throw new Failure('COLLIMATE_STATE_UNKNOWN', `there is no state set ${id}`)
    return set
  }
}

/** A tensor of the device that keeps the session it came out of. */
function deviceValue(tensor: Onnx.Tensor, held: HeldSession): DeviceValue {
  held.hold()
  return new DeviceValue(tensor, () => void held.letGo())
}

/** Copies the rows of an update into their place along the axis; the client has checked that they fit. */
function writeRows(
  at: { readonly axis: number; readonly start: string; readonly shape: readonly number[] },
  feeds: Readonly<Record<string, TensorData>>,
  set: StateSet,
  name: string,
  rows: TensorData,
): void {
  const { shape } = set.buffer(name)
  const target = set.view(name)
  const product = (lengths: readonly number[]) => lengths.reduce((total, length) => total * length, 1)
  const inner = product(shape.slice(at.axis + 1))
  const stride = (shape[at.axis] ?? 1) * inner
  const length = (at.shape[at.axis] ?? 1) * inner
  const start = (feeds[at.start]?.[0] ?? 0) * inner
  const blocks = product(shape.slice(0, at.axis))
  for (let block = 0; block < blocks; block++) {
    target.set(rows.subarray(block * length, (block + 1) * length), block * stride + start)
  }
}
