import { graphErrors, prepareProgram, type StateTypes, valueType } from '@collimate/backends'
import { CollimateError, type DType, type Program, type ProgramInput, type Shape, type StateId } from '@collimate/core'
import { type OpName, sizeOf } from '@collimate/graph'
import type { CompiledProgram } from './compiled.js'
import { planElementwise } from './elementwise/recognise.js'
import { elementTypeOf, GraphBuilder } from './graph-builder.js'
import { feedOrigins, indexFeeds } from './indices.js'
import type { Value } from './lowering/lowering.js'
import { loweringOf } from './lowering/table.js'
import { encodeModel, type OnnxInitializer, type OnnxValue } from './onnx-model.js'
import type { Device, Precision } from './providers.js'
import { wholeUpdates } from './whole-updates.js'

/**
 * Makes of a program what the worker runs: an ONNX model, and a plan of passes where the program is element-wise.
 * `frozen` names the set of each state whose present values become constants.
 */
export function compileProgram(
  program: Program,
  frozen: ReadonlyMap<string, StateId>,
  typesOf: (id: StateId) => StateTypes,
  device: Device,
  precision: Precision = 'float32',
): CompiledProgram {
  const prepared = prepareProgram(program, frozen, typesOf, (op) => loweringOf(op, device) !== undefined)
  const kept = graphErrors(() => wholeUpdates(prepared, (state) => canReside(state, device)))
  // Passes run over the host's memory, which is not where states of webgpu are.
  const elementwise = frozen.size === 0 && device !== 'webgpu' ? planElementwise(program) : undefined
  return { ...buildModel(kept, frozen, new GraphBuilder(device, precision)), ...(elementwise && { elementwise }) }
}

function buildModel(program: Program, frozen: ReadonlyMap<string, StateId>, graph: GraphBuilder): CompiledProgram {
  const { device } = graph
  const values: Value[] = program.inputs.map(({ dtype, shape }, number) => ({ name: `i${number}`, dtype, shape }))
  const origins = feedOrigins(program)
  program.inputs.forEach(({ role }, number) => role === 'feed' && graph.checked.add(`i${number}`))
  const used = new Set([...program.nodes.flatMap(({ inputs }) => inputs), ...results(program)])
  const inputs: CompiledProgram['inputs'][number][] = []
  const external: { path: string; state: StateId; name: string }[] = []
  const initializers: OnnxInitializer[] = []

  program.inputs.forEach((input, number) => {
    if (!used.has(number)) return
    const value = `i${number}`
    const state = input.role === 'state' ? frozen.get(input.name) : undefined
    if (state === undefined) {
      const resident = input.role === 'state' && canReside(input, device)
      return void inputs.push({ ...input, value, ...(resident && { resident }) })
    }
    external.push({ path: value, state, name: input.name })
    initializers.push({ ...onnxValue(value, input), external: value, byteLength: bytesOf(input) })
  })
  for (const { op, inputs: operands, attributes, dtype, shape } of program.nodes) {
    const lowering = loweringOf(op as OpName, device)
    if (!lowering) throw new CollimateError('COLLIMATE_PROGRAM_INVALID', `${program.name}: ${op} was not decomposed`)
    const name = lowering(
      graph,
      operands.map((operand) => values[operand] as Value),
      attributes,
      { dtype, shape },
    )
    if (origins[values.length] !== undefined) graph.checked.add(name)
    values.push({ name, dtype, shape })
  }

  // A graph output needs a name of its own: one that no input, constant or other output has.
  const taken = new Set<string>([...values.slice(0, program.inputs.length).map(({ name }) => name)])
  const produced = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
  const outputs: OnnxValue[] = []
  const publish = (number: number): string => {
    const { name } = values[number] as Value
    const value = taken.has(name) || !produced.has(name) ? graph.emit('Identity', [name]) : name
    taken.add(value)
    outputs.push(onnxValue(value, valueType(program, number)))
    return value
  }
  const returned = program.outputs.map(({ name, value }) => ({ name, value: publish(value) }))
  const updates = program.updates.map(({ state, value, at }) => ({
    state,
    value: publish(value),
    ...(at && { at: { ...at, shape: valueType(program, value).shape } }),
    ...(canReside(valueType(program, value), device) && { resident: true as const }),
  }))

  const model = encodeModel({
    name: program.name,
    nodes: graph.nodes,
    inputs: inputs.map((input) => onnxValue(input.value, input)),
    outputs,
    initializers: [...initializers, ...graph.initializers],
  })
  return {
    name: program.name,
    ...(outputs.length > 0 && { model }),
    inputs,
    outputs: returned,
    updates,
    frozen: external,
    indices: device === 'cpu' ? [] : indexFeeds(program),
  }
}

/**
 * Whether a state can stay in the memory of the device between runs: with webgpu alone, since ONNX Runtime has tensors there
 * for no other device. Truth values stay with the host.
 */
const canReside = ({ dtype, shape }: { readonly dtype: DType; readonly shape: Shape }, device: Device): boolean =>
  device === 'webgpu' && dtype !== 'bool' && !shape.includes(0)

const results = ({ outputs, updates }: Program): number[] => [...outputs, ...updates].map(({ value }) => value)

const onnxValue = (name: string, { dtype, shape }: Pick<ProgramInput, 'dtype' | 'shape'>): OnnxValue => ({
  name,
  type: elementTypeOf[dtype],
  shape,
})

const bytesOf = ({ dtype, shape }: ProgramInput): number => sizeOf(shape) * (dtype === 'bool' ? 1 : 4)
