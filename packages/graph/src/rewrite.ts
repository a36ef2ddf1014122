import { add, mul, sub } from './ops/arithmetic.js'
import { neg } from './ops/elementwise.js'
import { scatterAdd } from './ops/indexing.js'
import { constant } from './ops/leaf.js'
import { matmul } from './ops/linear-algebra.js'
import { broadcastTo, reshape, transpose } from './ops/shape.js'
import { elementwiseOps, type OpName, ruleOf } from './ops/table.js'
import { broadcastShapes, sameShape, sizeOf } from './shapes.js'
import { Tensor } from './tensor.js'
import type { HostTensor } from './types.js'

/** Constant expressions up to this size are computed here, in float64. */
const largestFolded = 4096

/** A simpler expression of the same value and shape, or undefined. Every rule lowers the work or the number of nodes. */
export function rewrite(tensor: Tensor): Tensor | undefined {
  if (tensor.op === 'input' || tensor.op === 'constant') return undefined
  return fold(tensor) ?? narrow(tensor) ?? rules[tensor.op]?.(tensor)
}

/** The value of a single-valued constant, seen through broadcasts. */
function valueOf(tensor: Tensor): number | undefined {
  while (tensor.op === 'broadcastTo') tensor = tensor.inputs[0]
  return tensor.op === 'constant' && tensor.size === 1
    ? (tensor.attributes as { data: Float64Array }).data[0]
    : undefined
}

/** An op over constants, unless that would store more numbers than before. */
function fold({ op, inputs, attributes, dtype, shape }: Tensor): Tensor | undefined {
  const size = sizeOf(shape)
  if (op === 'broadcastTo' || size > largestFolded || !inputs.every((operand) => operand.op === 'constant'))
    return undefined
  if (size > inputs.reduce((total, operand) => total + operand.size, 0)) return undefined
  const rule = ruleOf(op as OpName)
  const values = inputs.map((operand): HostTensor => {
    const { data } = operand.attributes as { data: HostTensor['data'] }
    return {
      dtype: operand.dtype,
      shape: operand.shape,
      data: operand.dtype === 'float' ? Float64Array.from(data) : data,
    }
  })
  return constant(rule.evaluate(values, attributes, { dtype, shape }), shape, dtype)
}

/** Element-wise ops on broadcast operands work on the operands before broadcasting. */
function narrow(tensor: Tensor): Tensor | undefined {
  const { op, inputs, attributes, dtype, shape } = tensor
  if (!elementwiseOps.has(op as OpName) || !inputs.some((operand) => operand.op === 'broadcastTo')) return undefined
  const sources = inputs.map((operand) => (operand.op === 'broadcastTo' ? operand.inputs[0] : operand))
  const common = sources.reduce<readonly number[]>((all, { shape: next }) => broadcastShapes(all, next) ?? all, [])
  return broadcastTo(new Tensor(op, sources, attributes, dtype, common), shape)
}

/** x where `tensor` is x broadcast against a constant that changes nothing. */
function unchanged(tensor: Tensor, x: Tensor): Tensor {
  return broadcastTo(x, tensor.shape)
}

const isOp = (tensor: Tensor, op: OpName): boolean => tensor.op === op

const rules: { readonly [K in OpName]?: (tensor: Tensor) => Tensor | undefined } = {
  add: (tensor) => {
    const [a, b] = tensor.inputs
    if (valueOf(b) === 0) return unchanged(tensor, a)
    if (valueOf(a) === 0) return unchanged(tensor, b)
    if (isOp(b, 'neg')) return sub(a, b.inputs[0])
    if (isOp(a, 'neg')) return sub(b, a.inputs[0])
    return addedInto(a, b) ?? addedInto(b, a)
  },
  sub: (tensor) => {
    const [a, b] = tensor.inputs
    if (valueOf(b) === 0) return unchanged(tensor, a)
    if (valueOf(a) === 0) return unchanged(tensor, neg(b))
    return isOp(b, 'neg') ? add(a, b.inputs[0]) : undefined
  },
  mul: (tensor) =>
    scaled(tensor, tensor.inputs[0], tensor.inputs[1]) ?? scaled(tensor, tensor.inputs[1], tensor.inputs[0]),
  div: (tensor) => (valueOf(tensor.inputs[1]) === 1 ? unchanged(tensor, tensor.inputs[0]) : undefined),
  neg: ({ inputs: [x] }) => {
    if (isOp(x, 'neg')) return x.inputs[0]
    if (isOp(x, 'sub')) return sub(x.inputs[1], x.inputs[0])
    const constantSide = isOp(x, 'mul') ? x.inputs.findIndex((operand) => valueOf(operand) !== undefined) : -1
    return constantSide < 0 ? undefined : mul(x.inputs[1 - constantSide], neg(x.inputs[constantSide]))
  },
  not: ({ inputs: [x] }) => (isOp(x, 'not') ? x.inputs[0] : undefined),
  where: (tensor) => {
    const [condition, a, b] = tensor.inputs
    const taken = valueOf(condition)
    if (taken === undefined) return a === b ? unchanged(tensor, a) : undefined
    return unchanged(tensor, taken !== 0 ? a : b)
  },
  stopGradient: ({ inputs: [x] }) => x,
  reshape: ({ inputs: [x], shape }) => {
    if (sameShape(x.shape, shape)) return x
    if (isOp(x, 'reshape')) return reshape(x.inputs[0], shape)
    return isOp(x, 'broadcastTo') && x.inputs[0].size === 1 ? broadcastTo(reshape(x.inputs[0], []), shape) : undefined
  },
  transpose: ({ inputs: [x], attributes, shape }) => {
    const { permutation } = attributes as { permutation: readonly number[] }
    if (isOp(x, 'transpose')) {
      const inner = (x.attributes as { permutation: readonly number[] }).permutation
      return transpose(
        x.inputs[0],
        permutation.map((axis) => inner[axis]),
      )
    }
    // Only axes of 1 change places: the values stay in order.
    const long = permutation.filter((axis) => x.shape[axis] !== 1)
    return long.every((axis, i) => i === 0 || long[i - 1] < axis) ? reshape(x, shape) : undefined
  },
  broadcastTo: ({ inputs: [x], shape }) => {
    if (sameShape(x.shape, shape)) return x
    return isOp(x, 'broadcastTo') ? broadcastTo(x.inputs[0], shape) : undefined
  },
  slice: ({ inputs: [x], shape }) => (sameShape(x.shape, shape) ? x : undefined),
  pad: ({ inputs: [x], shape }) => (sameShape(x.shape, shape) ? x : undefined),
  concat: ({ inputs }) => (inputs.length === 1 ? inputs[0] : undefined),
  sum: ({ inputs: [x], shape }) => (x.size === sizeOf(shape) ? reshape(x, shape) : undefined),
  max: ({ inputs: [x], shape }) => (x.size === sizeOf(shape) ? reshape(x, shape) : undefined),
  matmul: ({ inputs: [a, b], attributes }) => {
    const flags = attributes as { transposeA: boolean; transposeB: boolean; scale: number }
    if (swapsLastTwo(a)) return matmul(a.inputs[0], b, { ...flags, transposeA: !flags.transposeA })
    if (swapsLastTwo(b)) return matmul(a, b.inputs[0], { ...flags, transposeB: !flags.transposeB })
    return undefined
  },
}

/** x + scatterAdd(0, indices, updates) = scatterAdd(x, indices, updates). */
function addedInto(x: Tensor, scattered: Tensor): Tensor | undefined {
  if (!isOp(scattered, 'scatterAdd') || !sameShape(x.shape, scattered.shape)) return undefined
  const [base, indices, updates] = scattered.inputs
  const { axis } = scattered.attributes as { axis: number }
  return valueOf(base) === 0 ? scatterAdd(x, indices, updates, axis) : undefined
}

/** x times a single-valued constant. */
function scaled(tensor: Tensor, x: Tensor, factor: Tensor): Tensor | undefined {
  const value = valueOf(factor)
  if (value === undefined) return undefined
  if (value === 1) return unchanged(tensor, x)
  if (value === -1) return unchanged(tensor, neg(x))
  if (isOp(x, 'neg')) return mul(x.inputs[0], neg(factor))
  if (!isOp(x, 'mul')) return undefined
  const constantSide = x.inputs.findIndex((operand) => valueOf(operand) !== undefined)
  return constantSide < 0 ? undefined : mul(x.inputs[1 - constantSide], mul(x.inputs[constantSide], factor))
}

function swapsLastTwo(x: Tensor): boolean {
  if (!isOp(x, 'transpose')) return false
  const { permutation } = x.attributes as { permutation: readonly number[] }
  const last = permutation.length - 1
  return permutation.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i))
}
