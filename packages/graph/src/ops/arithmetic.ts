import { requireDType, shapeError } from '../error.js'
import { allocate, expand } from '../kernels/strided.js'
import { broadcastShapes } from '../shapes.js'
import { applier, liftPair, type Operand, type Tensor } from '../tensor.js'
import type { HostTensor, None, TensorData, Typed } from '../types.js'
import { equal, greater, less, where } from './compare.js'
import { neg } from './elementwise.js'
import { sumTo } from './reduce.js'
import type { Rule, Rules } from './rule.js'

/** Attributes of functions of two numbers, with NumPy broadcasting. */
export interface ArithmeticAttributes {
  add: None
  sub: None
  mul: None
  div: None
  maximum: None
  minimum: None
}

/** Shape rule of two operands of one dtype that broadcast. */
export function inferPair(op: string, inputs: readonly Typed[], ...allowed: Typed['dtype'][]): Typed {
  requireDType(op, inputs, 0, ...allowed)
  requireDType(op, inputs, 1, inputs[0].dtype)
  const shape = broadcastShapes(inputs[0].shape, inputs[1].shape)
  if (!shape) throw shapeError(op, inputs, 'these shapes do not broadcast')
  return { dtype: inputs[0].dtype, shape }
}

type Loop = (a: TensorData, b: TensorData, out: TensorData) => void

function binary(
  op: string,
  loop: Loop,
  gradient: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => [Tensor, Tensor],
): Rule<None> {
  return {
    arity: 2,
    fused: false,
    infer: (inputs) => (op === 'div' ? inferPair(op, inputs, 'float') : inferPair(op, inputs, 'float', 'int')),
    evaluate: ([a, b]: readonly HostTensor[], _, { dtype, shape }) => {
      const left = expand(a, shape)
      const out = allocate(dtype, left.length)
      loop(left, expand(b, shape), out)
      return out
    },
    gradient: (g, [a, b], y) => {
      const [da, db] = gradient(g, a, b, y)
      return [sumTo(da, a.shape), sumTo(db, b.shape)]
    },
  }
}

// Each loop is written out: one that is shared through a callback runs several times slower.
const loops: Record<keyof ArithmeticAttributes, Loop> = {
  add: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i]
  },
  sub: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i]
  },
  mul: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i]
  },
  div: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = a[i] / b[i]
  },
  maximum: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.max(a[i], b[i])
  },
  minimum: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.min(a[i], b[i])
  },
}

/** Where the operands are equal each gets half of the cotangent. */
function pick(chosen: Tensor, a: Tensor, b: Tensor, g: Tensor): Tensor {
  return where(chosen, g, where(equal(a, b), mul(g, 0.5), 0))
}

export const arithmetic: Rules<ArithmeticAttributes> = {
  add: binary('add', loops.add, (g) => [g, g]),
  sub: binary('sub', loops.sub, (g) => [g, neg(g)]),
  mul: binary('mul', loops.mul, (g, a, b) => [mul(g, b), mul(g, a)]),
  div: binary('div', loops.div, (g, _, b, y) => {
    const da = div(g, b)
    return [da, neg(mul(da, y))]
  }),
  maximum: binary('maximum', loops.maximum, (g, a, b) => [pick(greater(a, b), a, b, g), pick(less(a, b), a, b, g)]),
  minimum: binary('minimum', loops.minimum, (g, a, b) => [pick(less(a, b), a, b, g), pick(greater(a, b), a, b, g)]),
}
const apply = applier<ArithmeticAttributes>(arithmetic)

export const add = (a: Operand, b: Operand): Tensor => apply('add', liftPair('add', a, b), {})
export const sub = (a: Operand, b: Operand): Tensor => apply('sub', liftPair('sub', a, b), {})
export const mul = (a: Operand, b: Operand): Tensor => apply('mul', liftPair('mul', a, b), {})
/** Floats only. */
export const div = (a: Operand, b: Operand): Tensor => apply('div', liftPair('div', a, b), {})
export const maximum = (a: Operand, b: Operand): Tensor => apply('maximum', liftPair('maximum', a, b), {})
export const minimum = (a: Operand, b: Operand): Tensor => apply('minimum', liftPair('minimum', a, b), {})
