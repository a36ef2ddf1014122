import { describe, GraphError } from './error.js'
import type { OpName } from './ops/table.js'
import { sameShape } from './shapes.js'
import { simplify } from './simplify.js'
import { Tensor } from './tensor.js'
import { topologicalOrder } from './topological-order.js'
import type { Attributes, DType, Shape } from './types.js'

/** One application of an op. Its value has the number `inputs.length + index` of the node in the program. */
export interface ProgramNode {
  readonly op: OpName
  /** Numbers of earlier values: program inputs come first, then nodes in order. */
  readonly inputs: readonly number[]
  readonly attributes: Attributes
  readonly dtype: DType
  readonly shape: Shape
}

/** `feed`: given by the caller at each run. `state`: a buffer that lives on the backend under this name. */
export interface ProgramInput {
  readonly name: string
  readonly role: 'feed' | 'state'
  readonly dtype: DType
  readonly shape: Shape
}

/**
 * Writes a value into a state buffer after all values are computed: the whole buffer, or with `at` the slice of the
 * value's size along `axis` that begins at the int scalar feed `start`.
 */
export interface ProgramUpdate {
  readonly state: string
  readonly value: number
  readonly at?: { readonly axis: number; readonly start: string }
}

/** A tensor program as plain data. */
export interface Program {
  readonly name: string
  readonly inputs: readonly ProgramInput[]
  /** In topological order. */
  readonly nodes: readonly ProgramNode[]
  readonly outputs: readonly { readonly name: string; readonly value: number }[]
  readonly updates: readonly ProgramUpdate[]
}

/** A new value of a state input; with `at` only of the slice along `axis` that begins at the int scalar feed `start`. */
export interface StateUpdate {
  readonly state: Tensor
  readonly value: Tensor
  readonly at?: { readonly axis: number; readonly start: Tensor }
}

/** What a program is made of. */
export interface ProgramSpec {
  readonly name: string
  readonly outputs?: Readonly<Record<string, Tensor>>
  readonly updates?: readonly StateUpdate[]
  /** Default true: equal expressions merge, constants fold, dead code goes. */
  readonly simplify?: boolean
}

/**
 * Collects expressions into a program. Its inputs are exactly those that an output or update depends on.
 * Throws a `GraphError` where one name stands for two inputs or an update does not fit its state.
 */
export function program(spec: ProgramSpec): Program {
  const updates = spec.updates ?? []
  updates.forEach((update, i) => requireUpdate(spec.name, update, updates.slice(0, i)))
  const outputs = Object.entries(spec.outputs ?? {})
  const roots = [
    ...outputs.map(([, tensor]) => tensor),
    ...updates.flatMap(({ state, value, at }) => [state, value, ...(at ? [at.start] : [])]),
  ]
  const order = topologicalOrder(roots)
  const inputs = new Map<string, ProgramInput>()
  const numbers = new Map<Tensor, number>()
  for (const tensor of order) {
    if (tensor.op !== 'input') continue
    const found = inputOf(tensor)
    const known = inputs.get(found.name)
    if (!known) inputs.set(found.name, found)
    else requireSameInput(spec.name, known, found)
    numbers.set(tensor, [...inputs.keys()].indexOf(found.name))
  }
  const nodes: ProgramNode[] = []
  for (const tensor of order) {
    const { op, attributes, dtype, shape } = tensor
    if (op === 'input') continue
    numbers.set(tensor, inputs.size + nodes.length)
    nodes.push({ op, inputs: tensor.inputs.map((operand) => numberOf(numbers, operand)), attributes, dtype, shape })
  }
  const result: Program = {
    name: spec.name,
    inputs: [...inputs.values()],
    nodes,
    outputs: outputs.map(([name, tensor]) => ({ name, value: numberOf(numbers, tensor) })),
    updates: updates.map(({ state, value, at }) => ({
      state: inputOf(state).name,
      value: numberOf(numbers, value),
      ...(at && { at: { axis: at.axis, start: inputOf(at.start).name } }),
    })),
  }
  return spec.simplify === false ? result : simplify(result)
}

/** The expressions of a program's values, numbered as in the program. */
export function tensorsOf({ inputs, nodes }: Program): Tensor[] {
  const tensors = inputs.map(({ name, role, dtype, shape }) => new Tensor('input', [], { name, role }, dtype, shape))
  for (const { op, inputs: operands, attributes, dtype, shape } of nodes) {
    tensors.push(
      new Tensor(
        op,
        operands.map((number) => tensors[number]),
        attributes,
        dtype,
        shape,
      ),
    )
  }
  return tensors
}

/** The program with each value replaced by another expression of the same shape; its inputs stay as they are. */
export function rebuild(original: Program, replace: (tensor: Tensor) => Tensor): Program {
  const values = tensorsOf(original)
  const numbers = new Map<Tensor, number>()
  const replaced = values.map((tensor) => replace(tensor))
  replaced.slice(0, original.inputs.length).forEach((tensor, i) => numbers.set(tensor, i))
  const roots = [...original.outputs, ...original.updates].map(({ value }) => replaced[value])
  const nodes: ProgramNode[] = []
  for (const tensor of topologicalOrder(roots)) {
    const { op, attributes, dtype, shape } = tensor
    if (op === 'input') continue
    numbers.set(tensor, original.inputs.length + nodes.length)
    nodes.push({ op, inputs: tensor.inputs.map((operand) => numberOf(numbers, operand)), attributes, dtype, shape })
  }
  const move = <T extends { value: number }>(use: T): T => ({ ...use, value: numberOf(numbers, replaced[use.value]) })
  return { ...original, nodes, outputs: original.outputs.map(move), updates: original.updates.map(move) }
}

function numberOf(numbers: ReadonlyMap<Tensor, number>, tensor: Tensor): number {
  const number = numbers.get(tensor)
  if (number === undefined) throw new GraphError('COLLIMATE_GRAPH_INPUT', `${tensor.op} is not a value of this program`)
  return number
}

function inputOf({ op, attributes, dtype, shape }: Tensor): ProgramInput {
  if (op !== 'input') throw new GraphError('COLLIMATE_GRAPH_INPUT', `expected an input, got the value of ${op}`)
  const { name, role } = attributes as { name: string; role: ProgramInput['role'] }
  return { name, role, dtype, shape }
}

function requireSameInput(program: string, a: ProgramInput, b: ProgramInput): void {
  if (a.role === b.role && a.dtype === b.dtype && sameShape(a.shape, b.shape)) return
  throw new GraphError(
    'COLLIMATE_GRAPH_INPUT',
    `program ${program}: input ${a.name} is both ${a.role} ${describe(a)} and ${b.role} ${describe(b)}`,
  )
}

function requireUpdate(program: string, { state, value, at }: StateUpdate, earlier: readonly StateUpdate[]): void {
  const { name, role } = inputOf(state)
  const wrong = (why: string) =>
    new GraphError('COLLIMATE_GRAPH_UPDATE', `program ${program}, update of ${name}: ${why}`)
  if (role !== 'state') throw wrong('it is a feed, not a state')
  if (earlier.some((other) => other.state.attributes.name === name)) throw wrong('it is updated twice')
  const fits = state.shape.every((size, axis) =>
    axis === at?.axis ? value.shape[axis] <= size : value.shape[axis] === size,
  )
  if (value.dtype !== state.dtype || value.rank !== state.rank || !fits) {
    throw wrong(`${describe(value)} does not fit ${describe(state)}`)
  }
  if (!at) return
  const start = inputOf(at.start)
  if (!Number.isInteger(at.axis) || at.axis < 0 || at.axis >= state.rank) throw wrong(`it has no axis ${at.axis}`)
  if (start.role !== 'feed' || start.dtype !== 'int' || start.shape.length > 0)
    throw wrong('start must be an int scalar feed')
}
