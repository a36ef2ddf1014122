import { CollimateError, type HostTensor, type StateInit, type TensorData } from '@collimate/core'
import { sameShape, sizeOf, type Program } from '@collimate/graph'

const written = ({ dtype, shape }: Pick<HostTensor, 'dtype' | 'shape'>): string => `${dtype} [${shape.join(', ')}]`

/** A copy in float64; COLLIMATE_TENSOR_INVALID where the values do not belong to dtype and shape. */
export function ownValues(what: string, { dtype, shape, data }: HostTensor): TensorData {
  const size = sizeOf(shape)
  if (data?.length !== size)
    throw new CollimateError('COLLIMATE_TENSOR_INVALID', `${what} has ${data?.length} values, its shape has ${size}`)
  if (dtype === 'float' && (data instanceof Float32Array || data instanceof Float64Array))
    return Float64Array.from(data)
  if (dtype === 'int' && data instanceof Int32Array) return data.slice()
  if (dtype === 'bool' && data instanceof Uint8Array) return data.slice()
  throw new CollimateError(
    'COLLIMATE_TENSOR_INVALID',
    `${what}: ${dtype} values cannot come as ${data.constructor.name}`,
  )
}

/** What a new buffer starts as. */
export function initialTensor(name: string, init: StateInit): HostTensor {
  const { dtype, shape } = init
  if ('data' in init) return { dtype, shape, data: ownValues(`state ${name}`, init) }
  const values = { float: Float64Array, int: Int32Array, bool: Uint8Array }[dtype]
  return { dtype, shape, data: new values(sizeOf(shape)).fill(init.fill ?? 0) }
}

/** Refuses states of another type, and missing ones unless the rest comes later. */
export function checkStates(
  { name: program, inputs }: Pick<Program, 'name' | 'inputs'>,
  states: ReadonlyMap<string, HostTensor>,
  { partial = false } = {},
): void {
  for (const { name, role, ...expected } of inputs) {
    if (role !== 'state') continue
    const state = states.get(name)
    if (state === undefined) {
      if (partial) continue
      throw new CollimateError('COLLIMATE_STATE_MISSING', `${program}: no state set has ${name}`)
    }
    if (state.dtype !== expected.dtype || !sameShape(state.shape, expected.shape))
      throw new CollimateError(
        'COLLIMATE_STATE_MISMATCH',
        `${program}: ${name} is ${written(state)}, not ${written(expected)}`,
      )
  }
}

/** Exactly the feeds of the program, as own copies. */
export function checkFeeds({ name: program, inputs }: Program, given: Readonly<Record<string, TensorData>>) {
  const expected = inputs.filter(({ role }) => role === 'feed')
  for (const name of Object.keys(given))
    if (!expected.some((one) => one.name === name))
      throw new CollimateError('COLLIMATE_FEED_UNKNOWN', `${program} has no feed ${name}`)
  return Object.fromEntries(
    expected.map(({ name, dtype, shape }) => {
      if (!Object.hasOwn(given, name))
        throw new CollimateError('COLLIMATE_FEED_MISSING', `${program} needs the feed ${name}`)
      return [name, ownValues(`${program}: feed ${name}`, { dtype, shape, data: given[name] })]
    }),
  )
}

/** Refuses an update of rows that would reach beyond its buffer. */
export function checkRows(program: Program, feeds: Readonly<Record<string, TensorData>>): void {
  for (const { state, value, at } of program.updates) {
    if (at === undefined) continue
    const room = program.inputs.find(({ name }) => name === state)?.shape[at.axis] ?? 0
    const rows = [...program.inputs, ...program.nodes][value].shape[at.axis]
    const start = feeds[at.start][0]
    if (start < 0 || start + rows > room)
      throw new CollimateError(
        'COLLIMATE_UPDATE_OUT_OF_RANGE',
        `${program.name}: ${rows} rows at ${start} do not fit into the ${room} of ${state}`,
      )
  }
}
