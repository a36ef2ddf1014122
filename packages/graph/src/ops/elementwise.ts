import { requireDType } from '../error.js'
import { erf as erfOf, sigmoid as sigmoidOf, softplus as softplusOf } from '../kernels/special.js'
import { allocate } from '../kernels/strided.js'
import { applier, lift, type Operand, type Tensor } from '../tensor.js'
import type { None } from '../types.js'
import { add, div, maximum, mul, sub } from './arithmetic.js'
import { equal, greater, less, where } from './compare.js'
import type { Rule, Rules } from './rule.js'

/** Attributes of functions of one number. */
export interface ElementwiseAttributes {
  neg: None
  exp: None
  expm1: None
  log: None
  log1p: None
  sqrt: None
  rsqrt: None
  reciprocal: None
  abs: None
  sign: None
  tanh: None
  sigmoid: None
  logSigmoid: None
  softplus: None
  sin: None
  cos: None
  erf: None
  relu: None
  pow: { readonly exponent: number }
}

type Derivative = (g: Tensor, x: Tensor, y: Tensor) => Tensor | undefined

/** The rule of a float function `f`; with `decompose` it is a fused op. */
function unary(
  op: string,
  f: (x: number) => number,
  derivative: Derivative,
  decompose?: (x: Tensor) => Tensor,
): Rule<None> {
  const meaning = {
    arity: 1,
    infer: (inputs: Parameters<Rule['infer']>[0]) => {
      if (op !== 'neg' && op !== 'abs' && op !== 'sign') requireDType(op, inputs, 0, 'float')
      else requireDType(op, inputs, 0, 'float', 'int')
      return { dtype: inputs[0].dtype, shape: inputs[0].shape }
    },
    evaluate: ([x]: Parameters<Rule['evaluate']>[0]) => {
      const from = x.data
      const to = allocate(x.dtype, from.length)
      for (let i = 0; i < to.length; i++) to[i] = f(from[i])
      return to
    },
    gradient: (g: Tensor, [x]: readonly Tensor[], y: Tensor) => [derivative(g, x, y)],
  }
  if (!decompose) return { ...meaning, fused: false }
  return { ...meaning, fused: true, decompose: ([x]: readonly Tensor[]) => decompose(x) }
}

const power = unary('pow', Number, () => undefined)

export const elementwise: Rules<ElementwiseAttributes> = {
  neg: unary(
    'neg',
    (x) => -x,
    (g) => neg(g),
  ),
  exp: unary('exp', Math.exp, (g, _, y) => mul(g, y)),
  expm1: unary(
    'expm1',
    Math.expm1,
    (g, _, y) => mul(g, add(y, 1)),
    // exp(x) - 1 = 2t / (1 - t) with t = tanh(x / 2): exact near 0, where the plain form cancels.
    (x) => {
      const near = less(abs(x), 0.5)
      const t = tanh(mul(where(near, x, 0), 0.5))
      return where(near, div(mul(t, 2), sub(1, t)), sub(exp(x), 1))
    },
  ),
  log: unary('log', Math.log, (g, x) => div(g, x)),
  log1p: unary(
    'log1p',
    Math.log1p,
    (g, x) => div(g, add(x, 1)),
    // Kahan: with u = 1 + x as rounded, log(u) · x / (u - 1) is right to the last bits.
    (x) => {
      const u = add(x, 1)
      const rounded = sub(u, 1)
      const tiny = equal(rounded, 0)
      return where(tiny, x, mul(log(u), div(x, where(tiny, 1, rounded))))
    },
  ),
  sqrt: unary('sqrt', Math.sqrt, (g, _, y) => div(mul(g, 0.5), y)),
  rsqrt: unary(
    'rsqrt',
    (x) => 1 / Math.sqrt(x),
    (g, x, y) => div(mul(mul(g, -0.5), y), x),
    (x) => reciprocal(sqrt(x)),
  ),
  reciprocal: unary(
    'reciprocal',
    (x) => 1 / x,
    (g, _, y) => neg(mul(g, mul(y, y))),
  ),
  abs: unary('abs', Math.abs, (g, x) => mul(g, sign(x))),
  sign: unary('sign', Math.sign, () => undefined),
  tanh: unary('tanh', Math.tanh, (g, _, y) => mul(g, sub(1, mul(y, y)))),
  sigmoid: unary('sigmoid', sigmoidOf, (g, _, y) => mul(g, mul(y, sub(1, y)))),
  logSigmoid: unary(
    'logSigmoid',
    (x) => -softplusOf(-x),
    (g, x) => mul(g, sigmoid(neg(x))),
    (x) => neg(softplus(neg(x))),
  ),
  softplus: unary(
    'softplus',
    softplusOf,
    (g, x) => mul(g, sigmoid(x)),
    (x) => add(maximum(x, 0), log1p(exp(neg(abs(x))))),
  ),
  sin: unary('sin', Math.sin, (g, x) => mul(g, cos(x))),
  cos: unary('cos', Math.cos, (g, x) => neg(mul(g, sin(x)))),
  erf: unary('erf', erfOf, (g, x) => mul(mul(g, 2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x))))),
  // The derivative at 0 is 0.
  relu: unary(
    'relu',
    (x) => Math.max(x, 0),
    (g, x) => where(greater(x, 0), g, 0),
    (x) => maximum(x, 0),
  ),
  pow: {
    ...power,
    fused: false,
    evaluate: ([x], { exponent }) => Float64Array.from(x.data, (value) => value ** exponent),
    gradient: (g, [x], _, { exponent }) => [exponent === 0 ? undefined : mul(mul(g, exponent), pow(x, exponent - 1))],
  },
}
const apply = applier<ElementwiseAttributes>(elementwise)

export const neg = (x: Operand): Tensor => apply('neg', [lift(x)], {})
export const exp = (x: Operand): Tensor => apply('exp', [lift(x)], {})
/** exp(x) - 1 without cancellation near 0. */
export const expm1 = (x: Operand): Tensor => apply('expm1', [lift(x)], {})
export const log = (x: Operand): Tensor => apply('log', [lift(x)], {})
/** log(1 + x) without cancellation near 0. */
export const log1p = (x: Operand): Tensor => apply('log1p', [lift(x)], {})
export const sqrt = (x: Operand): Tensor => apply('sqrt', [lift(x)], {})
/** 1 / sqrt(x). */
export const rsqrt = (x: Operand): Tensor => apply('rsqrt', [lift(x)], {})
export const reciprocal = (x: Operand): Tensor => apply('reciprocal', [lift(x)], {})
export const abs = (x: Operand): Tensor => apply('abs', [lift(x)], {})
/** -1, 0 or 1; its derivative is 0. */
export const sign = (x: Operand): Tensor => apply('sign', [lift(x)], {})
export const tanh = (x: Operand): Tensor => apply('tanh', [lift(x)], {})
export const sigmoid = (x: Operand): Tensor => apply('sigmoid', [lift(x)], {})
/** log(sigmoid(x)), finite for every finite x. */
export const logSigmoid = (x: Operand): Tensor => apply('logSigmoid', [lift(x)], {})
/** log(1 + exp(x)), finite for every finite x. */
export const softplus = (x: Operand): Tensor => apply('softplus', [lift(x)], {})
export const sin = (x: Operand): Tensor => apply('sin', [lift(x)], {})
export const cos = (x: Operand): Tensor => apply('cos', [lift(x)], {})
/** Error function. */
export const erf = (x: Operand): Tensor => apply('erf', [lift(x)], {})
/** max(x, 0). */
export const relu = (x: Operand): Tensor => apply('relu', [lift(x)], {})
/** x to a constant power. */
export const pow = (x: Operand, exponent: number): Tensor =>
  exponent === 1 ? lift(x) : apply('pow', [lift(x)], { exponent })
/** x · x. */
export function square(x: Operand): Tensor {
  const value = lift(x)
  return mul(value, value)
}
