import { CollimateError, type HostTensor, type TensorData } from '@collimate/core'
import { type Program, sameShape } from '@collimate/graph'
import { describe, ownCopy } from './tensors.js'

/** State buffers by name, as a program sees them. */
export type Bound = Readonly<Record<string, HostTensor>>

/** Refuses a tensor of another dtype or shape. */
export function requireType(what: string, expected: HostTensor | Program['inputs'][number], given: HostTensor): void {
  if (given.dtype === expected.dtype && sameShape(given.shape, expected.shape)) return
  throw new CollimateError('COLLIMATE_STATE_MISMATCH', `${what} is ${describe(expected)}, not ${describe(given)}`)
}

/** Refuses states of another type, and missing ones unless the rest comes later. */
export function requireStates(program: Program, values: Bound, partial: boolean): void {
  for (const spec of program.inputs) {
    if (spec.role !== 'state') continue
    if (Object.hasOwn(values, spec.name)) requireType(`${program.name}: state ${spec.name}`, spec, values[spec.name])
    else if (!partial) {
      throw new CollimateError(
        'COLLIMATE_STATE_MISSING',
        `${program.name}: none of the given state sets has ${spec.name}`,
      )
    }
  }
}

/** Exactly the program's feeds, in the interpreter's precision. */
export function checkFeeds(program: Program, feeds: Readonly<Record<string, TensorData>>): Record<string, TensorData> {
  const expected = program.inputs.filter(({ role }) => role === 'feed')
  const unknown = Object.keys(feeds).find((name) => !expected.some((spec) => spec.name === name))
  if (unknown !== undefined) {
    const has = expected.length > 0 ? `it has ${expected.map(({ name }) => name).join(', ')}` : 'it has none'
    throw new CollimateError('COLLIMATE_FEED_UNKNOWN', `${program.name} has no feed named ${unknown}; ${has}`)
  }
  return Object.fromEntries(
    expected.map(({ name, dtype, shape }) => {
      if (!Object.hasOwn(feeds, name)) {
        throw new CollimateError('COLLIMATE_FEED_MISSING', `${program.name} needs the feed ${name}`)
      }
      return [name, ownCopy(`${program.name}: feed ${name}`, dtype, shape, feeds[name])]
    }),
  )
}

/** Refuses an update that would reach beyond its buffer. */
export function checkRows(program: Program, feeds: Readonly<Record<string, TensorData>>): void {
  for (const { state, value, at } of program.updates) {
    if (!at) continue
    const typed = [...program.inputs, ...program.nodes]
    const capacity = program.inputs.find(({ name }) => name === state)?.shape[at.axis] ?? 0
    const rows = typed[value].shape[at.axis]
    const start = feeds[at.start][0]
    if (start >= 0 && start + rows <= capacity) continue
    throw new CollimateError(
      'COLLIMATE_UPDATE_OUT_OF_RANGE',
      `${program.name}: ${rows} rows at ${at.start} = ${start} do not fit state ${state}, which has ${capacity} along axis ${at.axis}`,
    )
  }
}
