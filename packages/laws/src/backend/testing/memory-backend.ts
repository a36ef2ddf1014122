import { type Backend, CollimateError, type HostTensor, type StateInit, type TensorData } from '@collimate/core'
import { checkProgram, interpret, type Program, sameShape, sizeOf } from '@collimate/graph'

/** What is built into the backend below for a law to find. */
export type Fault =
  | 'sharesInitialValues'
  | 'sharesReads'
  | 'keepsFeeds'
  | 'updatesOneByOne'
  | 'updatesBeforeOutputs'
  | 'rowsAtAxisZero'
  | 'noEndOfRows'
  | 'lastSetWins'
  | 'frozenSeesWrites'
  | 'copyShares'
  | 'ignoresUnknownFeeds'
  | 'zerosForMissingFeeds'
  | 'anySizeOfFeed'
  | 'halfARun'
  | 'halfAWrite'
  | 'errorsWithoutCode'
  | 'keepsEveryRun'
  | 'forgetsToCountCopies'
  | 'releaseTwiceThrows'
  | 'runsAfterClose'
  | 'slowReads'
  | 'float32Ints'
  | 'drifts'
  | 'uncheckedPrograms'

type Set = Map<string, HostTensor>

/** A right backend of a few lines, in which faults can be switched on. */
export function createMemoryBackend(faults: readonly Fault[] = [], overrides: Partial<Ops> = {}): Backend {
  const has = (fault: Fault): boolean => faults.includes(fault)
  const executables = new Map<string, { program: Program; frozen: Record<string, HostTensor> }>()
  const sets = new Map<string, Set>()
  let last = 0
  let closed = false
  let extra = 0

  const fail = (code: `COLLIMATE_${string}`, message: string): never => {
    throw has('errorsWithoutCode') ? new Error(message) : new CollimateError(code, message)
  }
  const open = (): void => {
    if (closed && !has('runsAfterClose')) fail('COLLIMATE_BACKEND_CLOSED', 'closed')
  }
  const setOf = (id: string): Set => {
    open()
    return sets.get(id) ?? fail('COLLIMATE_STATE_UNKNOWN', `no set ${id}`)
  }
  const bufferOf = (set: Set, name: string): HostTensor =>
    set.get(name) ?? fail('COLLIMATE_STATE_UNKNOWN', `no buffer ${name}`)
  const looked = (ids: readonly string[]): Record<string, HostTensor> => {
    const found = ids.map(setOf)
    if (!has('lastSetWins')) found.reverse()
    return Object.fromEntries(found.flatMap((set) => [...set]))
  }
  const keep = (set: Set): string => {
    sets.set(`s${++last}`, set)
    return `s${last}`
  }

  function feedsOf(program: Program, feeds: Readonly<Record<string, TensorData>>): Record<string, TensorData> {
    const specs = program.inputs.filter(({ role }) => role === 'feed')
    for (const name of Object.keys(feeds)) {
      if (!has('ignoresUnknownFeeds') && !specs.some((spec) => spec.name === name))
        fail('COLLIMATE_FEED_UNKNOWN', `no feed ${name}`)
    }
    return Object.fromEntries(
      specs.map(({ name, dtype, shape }) => {
        const given = feeds[name]
        if (given === undefined) {
          if (has('zerosForMissingFeeds')) return [name, new Float64Array(sizeOf(shape))]
          return fail('COLLIMATE_FEED_MISSING', `feed ${name} is missing`)
        }
        if (has('anySizeOfFeed') && given.length < sizeOf(shape)) return [name, new Float64Array(sizeOf(shape))]
        return [name, owned(dtype, has('anySizeOfFeed') ? given.slice(0, sizeOf(shape)) : given, shape)]
      }),
    )
  }
  function owned(dtype: HostTensor['dtype'], data: TensorData, shape: readonly number[]): TensorData {
    const kinds = { float: [Float32Array, Float64Array], int: [Int32Array], bool: [Uint8Array] }[dtype]
    if (data.length !== sizeOf(shape) || !kinds.some((kind) => data instanceof kind))
      fail('COLLIMATE_TENSOR_INVALID', 'values do not fit')
    return dtype === 'float' ? Float64Array.from(data) : data.slice()
  }
  function statesFit(program: Program, values: Record<string, HostTensor>, partial: boolean): void {
    for (const { role, name, dtype, shape } of program.inputs) {
      if (role !== 'state') continue
      const found = values[name]
      if (found === undefined) {
        if (!partial) fail('COLLIMATE_STATE_MISSING', `no state ${name}`)
      } else if (found.dtype !== dtype || !sameShape(found.shape, shape)) fail('COLLIMATE_STATE_MISMATCH', name)
    }
  }
  function rowsFit({ inputs, nodes, updates }: Program, feeds: Record<string, TensorData>): void {
    for (const { state, value, at } of updates) {
      if (!at || has('noEndOfRows')) continue
      const capacity = inputs.find(({ name }) => name === state)!.shape[at.axis]
      const rows = [...inputs, ...nodes][value].shape[at.axis]
      const start = feeds[at.start][0]
      if (start < 0 || start + rows > capacity) fail('COLLIMATE_UPDATE_OUT_OF_RANGE', `${start}`)
    }
  }

  return {
    capabilities: async () => ({ backend: 'memory', device: 'cpu', precision: 'float64' }),
    async compile({ program, frozen = [] }) {
      open()
      if (!has('uncheckedPrograms')) checkProgram(program)
      const found = looked(frozen)
      const constants = has('frozenSeesWrites')
        ? found
        : Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, copied(tensor)]))
      if (program.updates.some(({ state }) => state in constants)) fail('COLLIMATE_PROGRAM_INVALID', 'frozen')
      statesFit(program as Program, constants, true)
      executables.set(`e${++last}`, { program: program as Program, frozen: constants })
      return `e${last}`
    },
    async run({ executable, feeds, states = [] }) {
      open()
      const { program, frozen } = executables.get(executable) ?? fail('COLLIMATE_EXECUTABLE_UNKNOWN', executable)
      const values = { ...looked(states), ...frozen }
      const own = has('keepsFeeds') ? { ...feeds } : feedsOf(program, feeds)
      statesFit(program, values, false)
      rowsFit(program, own)
      if (has('keepsEveryRun')) extra += 8
      const spoiled = overrides.program ? overrides.program(program) : program
      const result = runWith(spoiled, own, values, has)
      const outputs = Object.fromEntries(Object.entries(result.outputs).map(([name, { data }]) => [name, data]))
      if (has('drifts')) for (const data of Object.values(outputs)) data[0] += 1e-12 * ++last
      if (has('keepsFeeds')) {
        for (const { state, value } of program.updates) {
          const from = program.inputs[value]
          if (from?.role === 'feed') (values[state] as { data: TensorData }).data = feeds[from.name]
        }
      }
      return overrides.outputs ? overrides.outputs(outputs) : outputs
    },
    async state({ tensors }) {
      open()
      return keep(new Map(Object.entries(tensors).map(([name, init]) => [name, initial(init)])))
    },
    async read({ state, names }) {
      const set = setOf(state)
      if (has('slowReads')) await new Promise((resolve) => setImmediate(resolve))
      return Object.fromEntries(
        [...(names ?? set.keys())].map((name) => {
          const tensor = bufferOf(set, name)
          return [name, has('sharesReads') ? tensor : copied(tensor)]
        }),
      )
    },
    async write({ state, tensors }) {
      const set = setOf(state)
      const check = (name: string): (() => void) => {
        const [own, given] = [bufferOf(set, name), tensors[name]]
        if (own.dtype !== given.dtype || !sameShape(own.shape, given.shape)) fail('COLLIMATE_STATE_MISMATCH', name)
        const data = owned(own.dtype, given.data, own.shape)
        return () => own.data.set(data)
      }
      if (has('halfAWrite')) for (const name of Object.keys(tensors)) check(name)()
      else for (const write of Object.keys(tensors).map(check)) write()
    },
    async copy({ state, names }) {
      const set = setOf(state)
      return keep(
        new Map(
          [...(names ?? set.keys())].map((name) => {
            const tensor = bufferOf(set, name)
            return [name, has('copyShares') ? tensor : copied(tensor)]
          }),
        ),
      )
    },
    async release({ id }) {
      if (has('releaseTwiceThrows') && !executables.has(id) && !sets.has(id)) throw new Error('gone already')
      executables.delete(id)
      sets.delete(id)
    },
    async usage() {
      let bytes = extra
      for (const set of sets.values()) for (const { data } of set.values()) bytes += data.byteLength
      const states = has('forgetsToCountCopies') ? Math.min(1, sets.size) : sets.size
      return { executables: executables.size, states, bytes }
    },
    async close() {
      closed = true
      if (has('runsAfterClose')) return
      executables.clear()
      sets.clear()
    },
  }

  function initial(init: StateInit): HostTensor {
    const { dtype, shape } = init
    if ('data' in init) {
      const data = has('sharesInitialValues') ? init.data : owned(dtype, init.data, shape)
      return { dtype, shape, data }
    }
    const size = sizeOf(shape)
    const fill = init.fill ?? 0
    if (dtype === 'float') return { dtype, shape, data: new Float64Array(size).fill(fill) }
    if (dtype === 'bool') return { dtype, shape, data: new Uint8Array(size).fill(fill) }
    return {
      dtype,
      shape,
      data: has('float32Ints') ? new Float32Array(size).fill(fill) : new Int32Array(size).fill(fill),
    }
  }
}

/** Faults of arithmetic: another program in place of the one that was compiled, or other outputs. */
export interface Ops {
  program(program: Program): Program
  outputs(outputs: Record<string, TensorData>): Record<string, TensorData>
}

const copied = ({ dtype, shape, data }: HostTensor): HostTensor => ({ dtype, shape, data: data.slice() })

function runWith(
  program: Program,
  feeds: Record<string, TensorData>,
  states: Record<string, HostTensor>,
  has: (fault: Fault) => boolean,
): { outputs: Record<string, HostTensor> } {
  const { updates } = program
  const bare = { ...program, outputs: [] }
  const only = (list: Program['updates']): void => void interpret({ ...bare, updates: list }, { feeds, states })
  const outputs = (): { outputs: Record<string, HostTensor> } =>
    interpret({ ...program, updates: [] }, { feeds, states })
  if (has('updatesOneByOne')) {
    const result = outputs()
    for (const update of updates) only([update])
    return result
  }
  if (has('updatesBeforeOutputs')) {
    only(updates)
    return outputs()
  }
  if (has('halfARun') && updates.length > 1) {
    // Writes what it can before it finds out that the rest cannot be computed.
    const simple = updates.filter(({ value }) => value < program.inputs.length)
    interpret({ ...bare, nodes: [], updates: simple }, { feeds, states })
  }
  if (has('noEndOfRows') || has('rowsAtAxisZero')) {
    const clamped = { ...feeds }
    for (const { at, state, value } of updates) {
      if (!at) continue
      const capacity = program.inputs.find(({ name }) => name === state)!.shape[at.axis]
      const rows = [...program.inputs, ...program.nodes][value].shape[at.axis]
      const start = has('rowsAtAxisZero') ? 0 : Math.min(Math.max(0, feeds[at.start][0]), capacity - rows)
      clamped[at.start] = Int32Array.of(start)
    }
    return interpret(program, { feeds: clamped, states })
  }
  return interpret(program, { feeds, states })
}
