import { describe, GraphError } from './error.js'
import { dtypeOf } from './ops/leaf.js'
import { ruleOf } from './ops/table.js'
import { writeBlock } from './kernels/strided.js'
import { type Program, program as makeProgram, type ProgramInput } from './program.js'
import { sizeOf } from './shapes.js'
import type { Tensor } from './tensor.js'
import type { HostTensor, TensorData } from './types.js'

/** Values of a program's inputs by name. */
export interface Bindings {
  readonly feeds?: Readonly<Record<string, TensorData>>
  readonly states?: Readonly<Record<string, HostTensor>>
}

/**
 * Runs a program in float64 (ints in int32): outputs in fresh arrays, updates written into the arrays of `states`, whose
 * floats should be Float64Array. Where it throws (COLLIMATE_GRAPH_FEED, _STATE, _INDEX, _UPDATE) no state has changed.
 */
export function interpret(program: Program, bindings: Bindings): { outputs: Record<string, HostTensor> } {
  const { inputs, nodes } = program
  requireKnownFeeds(program, bindings)
  const values = new Array<HostTensor | undefined>(inputs.length + nodes.length)
  inputs.forEach((spec, i) => (values[i] = valueOf(program, spec, bindings)))
  const lastUse = lastUses(program)
  nodes.forEach((node, index) => {
    const operands = node.inputs.map((number) => values[number] as HostTensor)
    const data = ruleOf(node.op).evaluate(operands, node.attributes, node)
    values[inputs.length + index] = { dtype: node.dtype, shape: node.shape, data }
    for (const number of node.inputs) if (lastUse[number] === index) values[number] = undefined
  })
  // Values may share arrays with each other, with feeds and with states: everything that leaves is a copy.
  const copyOf = (number: number): HostTensor => {
    const { dtype, shape, data } = values[number] as HostTensor
    return { dtype, shape, data: data.slice() }
  }
  const outputs = Object.fromEntries(program.outputs.map(({ name, value }) => [name, copyOf(value)]))
  const writes = program.updates.map((update) => {
    const state = (bindings.states as Record<string, HostTensor>)[update.state]
    const value = copyOf(update.value)
    const starts = state.shape.map(() => 0)
    if (update.at) {
      const { axis, start } = update.at
      starts[axis] = (bindings.feeds as Record<string, TensorData>)[start][0]
      if (starts[axis] < 0 || starts[axis] + value.shape[axis] > state.shape[axis]) {
        throw new GraphError(
          'COLLIMATE_GRAPH_UPDATE',
          `program ${program.name}: ${value.shape[axis]} rows from ${starts[axis]} do not fit into ${update.state} ${describe(state)} along axis ${axis}`,
        )
      }
    }
    return () => writeBlock(state.data, state.shape, value.data, value.shape, starts)
  })
  for (const write of writes) write()
  return { outputs }
}

/** Per value the node that uses it last; outputs and updates keep theirs to the end. */
function lastUses({ inputs, nodes, outputs, updates }: Program): Int32Array {
  const last = new Int32Array(inputs.length + nodes.length).fill(-1)
  nodes.forEach((node, index) => node.inputs.forEach((number) => (last[number] = index)))
  for (const { value } of [...outputs, ...updates]) last[value] = nodes.length
  return last
}

function requireKnownFeeds(program: Program, { feeds = {} }: Bindings): void {
  const known = new Set(program.inputs.filter(({ role }) => role === 'feed').map(({ name }) => name))
  const unknown = Object.keys(feeds).find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new GraphError(
    'COLLIMATE_GRAPH_FEED',
    `program ${program.name} has no feed ${unknown}; it has ${[...known].join(', ') || 'none'}`,
  )
}

function valueOf(program: Program, spec: ProgramInput, { feeds = {}, states = {} }: Bindings): HostTensor {
  const wrong = (why: string) =>
    new GraphError(
      spec.role === 'feed' ? 'COLLIMATE_GRAPH_FEED' : 'COLLIMATE_GRAPH_STATE',
      `program ${program.name}: ${spec.role} ${spec.name} ${describe(spec)} ${why}`,
    )
  const given = spec.role === 'feed' ? feeds[spec.name] : states[spec.name]?.data
  if (!given) throw wrong('is missing')
  if (given.length !== sizeOf(spec.shape)) throw wrong(`has ${given.length} values`)
  if (dtypeOf(given) !== spec.dtype) throw wrong(`is given as ${given.constructor.name}`)
  return {
    dtype: spec.dtype,
    shape: spec.shape,
    data: given instanceof Float32Array ? Float64Array.from(given) : given,
  }
}

/** Values for `evaluate`: plain numbers are converted to the input's dtype. */
export type Values = Readonly<Record<string, number | readonly number[] | TensorData>>

/** The value of expressions for given inputs (feeds and states alike), in float64. */
export function evaluate(tensor: Tensor, values?: Values): HostTensor
export function evaluate(tensors: readonly Tensor[], values?: Values): HostTensor[]
export function evaluate(what: Tensor | readonly Tensor[], values: Values = {}): HostTensor | HostTensor[] {
  const tensors = Array.isArray(what) ? (what as readonly Tensor[]) : [what as Tensor]
  const program = makeProgram({
    name: 'evaluate',
    outputs: Object.fromEntries(tensors.map((tensor, i) => [i, tensor])),
    simplify: false,
  })
  const feeds: Record<string, TensorData> = {}
  const states: Record<string, HostTensor> = {}
  for (const { name, role, dtype, shape } of program.inputs) {
    if (!(name in values)) continue
    const given = values[name]
    const data = ArrayBuffer.isView(given) ? given : arrayOf(dtype, typeof given === 'number' ? [given] : given)
    if (role === 'feed') feeds[name] = data
    else states[name] = { dtype, shape, data }
  }
  const { outputs } = interpret(program, { feeds, states })
  const results = tensors.map((_, i) => outputs[i])
  return Array.isArray(what) ? results : results[0]
}

function arrayOf(dtype: HostTensor['dtype'], values: readonly number[]): TensorData {
  if (dtype === 'float') return Float64Array.from(values)
  return dtype === 'int' ? Int32Array.from(values) : Uint8Array.from(values)
}
