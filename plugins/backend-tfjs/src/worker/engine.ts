import { type Engine as WorkerEngine, Failure } from '@collimate/backends/worker'
import type { DType, HostTensor, Shape, StateId, TensorData } from '@collimate/core'
import type * as Core from '@tensorflow/tfjs-core'
import type { CompiledProgram, IndexCheck, KernelCall, Slot, Step } from '../compiled.js'
import { tfTypes } from '../kernel-builder.js'
import { firstLine, loadTfjs, type Tfjs } from './load.js'
import type { TfjsRequests } from './protocol.js'

type Tensor = Core.Tensor

interface Executable {
  readonly program: CompiledProgram
  /** Constants, and what was computed of them. */
  readonly fixed: ReadonlyMap<Slot, Tensor>
}

interface Buffer {
  readonly dtype: DType
  readonly shape: Shape
  tensor: Tensor
}
type StateSet = Map<string, Buffer>

/**
 * Executables and states of one backend; every verb of the protocol is a method. The client has checked the requests.
 *
 * Tensors of TensorFlow.js never change: states that hold the same values share one, and an update puts a new tensor in
 * the place of the old one.
 */
export class Engine implements WorkerEngine<TfjsRequests> {
  #tfjs: Tfjs | undefined
  readonly #executables = new Map<string, Executable>()
  readonly #states = new Map<string, StateSet>()

  async open({ device }: TfjsRequests['open']['request']): Promise<null> {
    try {
      this.#tfjs = await loadTfjs(device)
      return null
    } catch (error) {
      throw new Failure('COLLIMATE_PROVIDER_UNAVAILABLE', `${device} does not start: ${firstLine(error)}`)
    }
  }

  compile({ id, program }: TfjsRequests['compile']['request']): null {
    const tensors: (Tensor | undefined)[] = []
    this.#attempt(program, tensors, () => {
      for (const { slot, dtype, shape, data } of program.constants) tensors[slot] = this.#tensor(dtype, shape, data)
      for (const { slot, state, name } of program.frozen) tensors[slot] = this.#same(this.#buffer(state, name).tensor)
      for (const step of program.setup) this.#step(step, tensors, () => true)
      return true
    })
    const fixed = new Map<Slot, Tensor>()
    tensors.forEach((tensor, slot) => tensor && fixed.set(slot, tensor))
    this.#executables.set(id, { program, fixed })
    return null
  }

  run({ id, feeds, states }: TfjsRequests['run']['request']): Record<string, TensorData> {
    const { program, fixed } = this.#executable(id)
    const buffer = (name: string) => this.#buffer(states[name] ?? name, name)
    const tensors: (Tensor | undefined)[] = new Array<undefined>(program.slots)
    /** Tensors that this run has made; the others belong to states and executables. */
    const own: (Tensor | undefined)[] = new Array<undefined>(program.slots)
    const next = new Map<string, Tensor>()
    const spare: (Tensor | undefined)[] = []
    try {
      return this.#attempt(program, own, () => {
        for (const [slot, tensor] of fixed) tensors[slot] = tensor
        for (const { slot, role, name, dtype, shape } of program.inputs) {
          if (role === 'state') tensors[slot] = buffer(name).tensor
          else tensors[slot] = own[slot] = this.#tensor(dtype, shape, feeds[name])
        }
        for (const step of program.steps) {
          this.#step(step, tensors, (slot) => own[slot] !== undefined)
          if ('output' in step) own[step.output] = tensors[step.output]
          for (const slot of step.frees) own[slot] = undefined
        }
        const outputs = program.outputs.map(({ name, slot }) => [name, valuesOf(tensors[slot])] as const)
        for (const { state, slot, at } of program.updates) {
          const value = tensors[slot] as Tensor
          const before = next.get(state) ?? buffer(state).tensor
          const after = at ? this.#withRows(before, value, at.axis, feeds[at.start]?.[0] ?? 0) : this.#same(value)
          spare.push(next.get(state))
          next.set(state, after)
        }
        // Nothing can fail any more.
        for (const [state, tensor] of next) {
          const held = buffer(state)
          spare.push(held.tensor)
          held.tensor = tensor
        }
        next.clear()
        for (const tensor of own) tensor?.dispose()
        return Object.fromEntries(outputs)
      })
    } finally {
      for (const tensor of [...spare, ...next.values()]) tensor?.dispose()
    }
  }

  state({ id, tensors }: TfjsRequests['state']['request']): null {
    const set: StateSet = new Map()
    try {
      for (const [name, init] of Object.entries(tensors)) {
        const { dtype, shape } = init
        const tensor =
          'data' in init
            ? this.#tensor(dtype, shape, init.data)
            : this.#kernel('Fill', {}, { shape: [...shape], value: init.fill, dtype: tfTypes[dtype] })
        set.set(name, { dtype, shape, tensor })
      }
    } catch (error) {
      dispose(set)
      throw error
    }
    this.#states.set(id, set)
    return null
  }

  read({ id, names }: TfjsRequests['read']['request']): TfjsRequests['read']['reply'] {
    const host = ({ dtype, shape, tensor }: Buffer): HostTensor => ({ dtype, shape, data: valuesOf(tensor) })
    return Object.fromEntries(names.map((name) => [name, host(this.#buffer(id, name))]))
  }

  write({ id, tensors }: TfjsRequests['write']['request']): null {
    const next = new Map<string, Tensor>()
    try {
      for (const [name, { dtype, shape, data }] of Object.entries(tensors))
        next.set(name, this.#tensor(dtype, shape, data))
    } catch (error) {
      for (const tensor of next.values()) tensor.dispose()
      throw error
    }
    for (const [name, tensor] of next) {
      const buffer = this.#buffer(id, name)
      buffer.tensor.dispose()
      buffer.tensor = tensor
    }
    return null
  }

  copy({ id, names, target }: TfjsRequests['copy']['request']): null {
    const copies = names.map((name): [string, Buffer] => {
      const buffer = this.#buffer(id, name)
      return [name, { ...buffer, tensor: this.#same(buffer.tensor) }]
    })
    this.#states.set(target, new Map(copies))
    return null
  }

  release({ id }: TfjsRequests['release']['request']): null {
    for (const tensor of this.#executables.get(id)?.fixed.values() ?? []) tensor.dispose()
    this.#executables.delete(id)
    dispose(this.#states.get(id) ?? new Map())
    this.#states.delete(id)
    return null
  }

  usage(): TfjsRequests['usage']['reply'] {
    let bytes = 0
    for (const set of this.#states.values())
      for (const { dtype, tensor } of set.values()) bytes += tensor.size * (dtype === 'bool' ? 1 : 4)
    return { executables: this.#executables.size, states: this.#states.size, bytes }
  }

  close(): null {
    for (const id of [...this.#executables.keys(), ...this.#states.keys()]) this.release({ id })
    return null
  }

  /** Tensors that TensorFlow.js holds, and those that states and executables explain. */
  tensors(): { readonly alive: number; readonly buffers: number; readonly explained: number } {
    const { numTensors: alive, numDataBuffers: buffers } = this.#tf().memory()
    let explained = 0
    for (const { fixed } of this.#executables.values()) explained += fixed.size
    for (const set of this.#states.values()) explained += set.size
    return { alive, buffers, explained }
  }

  /** Does work that leaves tensors in `made`; where it throws they are freed. */
  #attempt<T>({ name }: CompiledProgram, made: readonly (Tensor | undefined)[], work: () => T): T {
    try {
      return work()
    } catch (error) {
      for (const tensor of made) tensor?.dispose()
      if (error instanceof Failure) throw error
      throw new Failure('COLLIMATE_BACKEND_RUN', `${name}: ${firstLine(error)}`)
    }
  }

  /** Makes one call, and frees what nobody needs any more. */
  #step(step: Step, tensors: (Tensor | undefined)[], mayFree: (slot: Slot) => boolean): void {
    if ('check' in step) checkIndices(step, valuesOf(tensors[step.check]))
    else tensors[step.output] = this.#call(step, tensors)
    for (const slot of step.frees) {
      if (mayFree(slot) || ('output' in step && step.output === slot)) tensors[slot]?.dispose()
      tensors[slot] = undefined
    }
  }

  #call({ kernel, inputs, attributes }: KernelCall, tensors: readonly (Tensor | undefined)[]): Tensor {
    const operands = Array.isArray(inputs)
      ? inputs.map((slot: Slot) => tensors[slot])
      : Object.fromEntries(Object.entries(inputs).map(([name, slot]) => [name, tensors[slot as Slot]]))
    return this.#kernel(kernel, operands, attributes)
  }

  #kernel(kernel: string, inputs: unknown, attributes: Readonly<Record<string, unknown>>): Tensor {
    const result: Tensor | Tensor[] = this.#tf()
      .engine()
      .runKernel(kernel, inputs as Core.NamedTensorMap, attributes as Core.NamedAttrMap)
    if (!Array.isArray(result)) return result
    for (const other of result.slice(1)) other.dispose()
    return result[0] as Tensor
  }

  /** Another tensor of the same values, which share their memory. */
  #same(x: Tensor): Tensor {
    return this.#kernel('Identity', { x }, {})
  }

  #tensor(dtype: DType, shape: Shape, data: TensorData | undefined): Tensor {
    return this.#tf()
      .engine()
      .makeTensor(data as Float32Array, [...shape], tfTypes[dtype])
  }

  /** `before` with rows from `start` replaced along an axis. */
  #withRows(before: Tensor, rows: Tensor, axis: number, start: number): Tensor {
    const part = (begin: number, end: number): Tensor[] => {
      if (begin === end) return []
      const [starts, size] = [before.shape.map(() => 0), [...before.shape]]
      starts[axis] = begin
      size[axis] = end - begin
      return [this.#kernel('Slice', { x: before }, { begin: starts, size })]
    }
    const [head, tail] = [part(0, start), part(start + (rows.shape[axis] ?? 0), before.shape[axis] ?? 0)]
    const parts = [...head, rows, ...tail]
    const whole = parts.length === 1 ? this.#same(rows) : this.#kernel('Concat', parts, { axis })
    for (const tensor of [...head, ...tail]) tensor.dispose()
    return whole
  }

  #tf(): Tfjs {
    if (!this.#tfjs) throw new Failure('COLLIMATE_BACKEND_UNAVAILABLE', 'the backend is not open')
    return this.#tfjs
  }

  #executable(id: string): Executable {
    const executable = this.#executables.get(id)
    if (!executable) throw new Failure('COLLIMATE_EXECUTABLE_UNKNOWN', `there is no executable ${id}`)
    return executable
  }

  #buffer(id: StateId, name: string): Buffer {
    const buffer = this.#states.get(id)?.get(name)
    if (!buffer) throw new Failure('COLLIMATE_STATE_UNKNOWN', `state set ${id} has no buffer named ${name}`)
    return buffer
  }
}

function dispose(set: StateSet): void {
  for (const { tensor } of set.values()) tensor.dispose()
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

/** A copy of a tensor's values: the cpu backend gives its own array, after a cast even one of the type before. */
function valuesOf(tensor: Tensor | undefined): TensorData {
  const { dtype } = tensor as Tensor
  return new arrays[dtype as keyof typeof arrays]((tensor as Tensor).dataSync() as TensorData)
}

function checkIndices({ op, length }: IndexCheck, indices: TensorData): void {
  for (const index of indices) {
    if (index >= 0 && index < length) continue
    throw new Failure(
      'COLLIMATE_GRAPH_INDEX',
      `${op}: index ${index} is outside of a table of ${length}`,
      'look for a token id beyond the vocabulary',
    )
  }
}
