import { CollimateError, type DType, type Program, type ProgramInput, type Shape, type StateId } from '@collimate/core'
import type { TensorData } from '@collimate/core'
import { sameShape } from '@collimate/graph'
import { type FloatArray, ownCopy } from './tensors.js'

export type TensorType = { readonly dtype: DType; readonly shape: Shape }
/** What is known of a state set, so that a request can be refused before anything happens. */
export type StateTypes = ReadonlyMap<string, TensorType>

/**
 * Copies of the feeds, ready to travel, floats as `Float`. Refuses a feed that the program lacks, and one that it needs
 * and that is missing or of another type.
 */
export function checkFeeds(
  program: Program,
  feeds: Readonly<Record<string, TensorData>>,
  Float?: FloatArray,
): Record<string, TensorData> {
  const expected = program.inputs.filter((input) => input.role === 'feed')
  const names = expected.map((input) => input.name)
  const unknown = Object.keys(feeds).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const has = names.length > 0 ? `it has ${names.join(', ')}` : 'it has none'
    throw new CollimateError('COLLIMATE_FEED_UNKNOWN', `${program.name} has no feed named ${unknown}; ${has}`)
  }
  return Object.fromEntries(
    expected.map(({ name, dtype, shape }) => {
      const data = Object.hasOwn(feeds, name) ? feeds[name] : undefined
      if (!data) throw new CollimateError('COLLIMATE_FEED_MISSING', `${program.name} needs the feed ${name}`)
      return [name, ownCopy(`${program.name}: feed ${name}`, dtype, shape, data, Float)]
    }),
  )
}

/** Refuses an update that would reach beyond its buffer. */
export function checkRows(program: Program, feeds: Readonly<Record<string, TensorData>>): void {
  for (const { state, value, at } of program.updates) {
    if (!at) continue
    const capacity = stateInputs(program).find(({ name }) => name === state)?.shape[at.axis] ?? 0
    const rows = valueType(program, value).shape[at.axis] ?? 0
    const start = feeds[at.start]?.[0] ?? 0
    if (start >= 0 && start + rows <= capacity) continue
    throw new CollimateError(
      'COLLIMATE_UPDATE_OUT_OF_RANGE',
      `${program.name}: ${rows} rows at ${at.start} = ${start} do not fit state ${state}, which has ${capacity} along axis ${at.axis}`,
    )
  }
}

/** The set that each state input lives in: the first one that has the name. */
export function resolveStates(
  program: Program,
  frozen: Pick<ReadonlySet<string>, 'has'>,
  sets: readonly (readonly [StateId, StateTypes])[],
): Record<string, StateId> {
  const resolved: Record<string, StateId> = {}
  for (const input of stateInputs(program)) {
    if (frozen.has(input.name)) continue
    const [id, types] = sets.find(([, candidate]) => candidate.has(input.name)) ?? []
    if (id === undefined || !types) {
      throw new CollimateError(
        'COLLIMATE_STATE_MISSING',
        `${program.name}: none of the given state sets has ${input.name}`,
      )
    }
    checkStateType(program, input, types)
    resolved[input.name] = id
  }
  return resolved
}

export const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)

/** Refuses to write a tensor of another type into a buffer. */
export function checkWrite(name: string, own: TensorType, given: TensorType): void {
  if (sameType(own, given)) return
  throw new CollimateError(
    'COLLIMATE_STATE_MISMATCH',
    `state ${name} is ${own.dtype} [${own.shape.join(', ')}]; ${given.dtype} [${given.shape.join(', ')}] cannot be written into it`,
  )
}

/** Refuses a state of another type than the program's input. */
export function checkStateType(program: Program, input: ProgramInput, types: StateTypes): void {
  const type = types.get(input.name)
  if (type && sameType(type, input)) return
  throw new CollimateError(
    'COLLIMATE_STATE_MISMATCH',
    `${program.name}: state ${input.name} is ${type?.dtype} [${type?.shape.join(', ')}]; ` +
      `the program expects ${input.dtype} [${input.shape.join(', ')}]`,
  )
}

const stateInputs = (program: Program): ProgramInput[] => program.inputs.filter(({ role }) => role === 'state')

/** dtype and shape of a value by its number. */
export function valueType(program: Program, value: number): TensorType {
  const type = value < program.inputs.length ? program.inputs[value] : program.nodes[value - program.inputs.length]
  if (!type) throw new CollimateError('COLLIMATE_PROGRAM_INVALID', `${program.name} has no value ${value}`)
  return type
}
