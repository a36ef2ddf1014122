import { type OpAttributes, sameShape } from '@collimate/graph'
import type { KernelBuilder, Value } from '../kernel-builder.js'
import { type Lowering, type Lowerings, only } from './lowering.js'

type Names =
  | ('neg' | 'exp' | 'expm1' | 'log' | 'log1p' | 'sqrt' | 'rsqrt' | 'reciprocal' | 'abs' | 'sign' | 'tanh' | 'sigmoid')
  | ('logSigmoid' | 'softplus' | 'sin' | 'cos' | 'erf' | 'relu' | 'pow')
  | ('add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum')
  | ('equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual' | 'and' | 'or' | 'not' | 'where')
  | ('cast' | 'stopGradient' | 'gelu' | 'silu' | 'swiglu')

const unary =
  (kernel: string): Lowering<unknown> =>
  (kernels, inputs, _, output) =>
    kernels.emit(kernel, { x: only(inputs) }, {}, output)

/** An operand as a kernel of two operands takes it quickly: JavaScript walks every other broadcast by coordinates. */
function operand(kernels: KernelBuilder, x: Value, shape: readonly number[]): Value {
  const isSuffix = sameShape(x.shape, shape.slice(shape.length - x.shape.length))
  return kernels.provider !== 'cpu' || isSuffix ? x : kernels.broadcast(x, shape)
}

const binary =
  (kernel: string): Lowering<unknown> =>
  (kernels, inputs, _, output) => {
    const [a, b] = [0, 1].map((i) => operand(kernels, only(inputs, i), output.shape)) as [Value, Value]
    return kernels.emit(kernel, { a, b }, {}, output)
  }

/** Minus x. Neg and Abs of WASM and JavaScript take whole numbers through float32. */
function negated(kernels: KernelBuilder, x: Value): Value {
  if (x.dtype === 'float') return kernels.emit('Neg', { x }, {}, x)
  return kernels.emit('Multiply', { a: x, b: kernels.scalar(-1, x.dtype) }, {}, x)
}

/** Functions of elements at one place. */
export const elementwise: Lowerings<Pick<OpAttributes, Names>> = {
  neg: (kernels, inputs) => negated(kernels, only(inputs)),
  exp: unary('Exp'),
  expm1: unary('Expm1'),
  log: unary('Log'),
  log1p: unary('Log1p'),
  sqrt: unary('Sqrt'),
  rsqrt: unary('Rsqrt'),
  reciprocal: unary('Reciprocal'),
  abs: (kernels, inputs) => {
    const x = only(inputs)
    if (x.dtype === 'float') return kernels.emit('Abs', { x }, {}, x)
    return kernels.emit('Maximum', { a: x, b: negated(kernels, x) }, {}, x)
  },
  sign: unary('Sign'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  // TensorFlow.js has Softplus: it loses digits next to its thresholds.
  logSigmoid: 'decompose',
  softplus: 'decompose',
  sin: unary('Sin'),
  cos: unary('Cos'),
  erf: unary('Erf'),
  relu: unary('Relu'),
  pow: (kernels, inputs, { exponent }, output) => {
    const x = only(inputs)
    const special = new Map([
      [-1, 'Reciprocal'],
      [0.5, 'Sqrt'],
      [2, 'Square'],
    ]).get(exponent)
    if (special) return kernels.emit(special, { x }, {}, output)
    return kernels.emit('Pow', { a: x, b: kernels.scalar(exponent) }, {}, output)
  },
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Multiply'),
  div: binary('RealDiv'),
  // Of a number and 0 it is Relu, which WASM computes 25 times as fast.
  maximum: (kernels, inputs, attributes, output) => {
    const [zero, x] = [only(inputs, 0), only(inputs, 1)].sort((a) => (a.fill === 0 ? -1 : 1)) as [Value, Value]
    if (zero.fill !== 0 || output.dtype !== 'float' || !sameShape(x.shape, output.shape))
      return (binary('Maximum') as Lowering<unknown>)(kernels, inputs, attributes, output)
    return kernels.emit('Relu', { x }, {}, output)
  },
  minimum: binary('Minimum'),
  equal: binary('Equal'),
  notEqual: binary('NotEqual'),
  less: binary('Less'),
  lessEqual: binary('LessEqual'),
  greater: binary('Greater'),
  greaterEqual: binary('GreaterEqual'),
  and: binary('LogicalAnd'),
  or: binary('LogicalOr'),
  not: unary('LogicalNot'),
  where: (kernels, inputs, _, output) => {
    const [condition, t, e] = inputs.map((x) => kernels.broadcast(x, output.shape)) as [Value, Value, Value]
    if (output.dtype !== 'bool') return kernels.emit('Select', { condition, t, e }, {}, output)
    // WASM's Select moves four bytes for each element, whatever it is.
    const otherwise = kernels.emit('LogicalNot', { x: condition }, {}, output)
    const [a, b] = [
      kernels.emit('LogicalAnd', { a: condition, b: t }, {}, output),
      kernels.emit('LogicalAnd', { a: otherwise, b: e }, {}, output),
    ]
    return kernels.emit('LogicalOr', { a, b }, {}, output)
  },
  cast: (kernels, inputs, { dtype }, output) => {
    const x = only(inputs)
    // To bool, kernels convert 0.5 to an integer first.
    if (dtype === 'bool') return kernels.emit('NotEqual', { a: x, b: kernels.scalar(0, x.dtype) }, {}, output)
    return kernels.emit('Cast', { x }, { dtype: dtype === 'int' ? 'int32' : 'float32' }, output)
  },
  stopGradient: 'decompose',
  gelu: 'decompose',
  silu: 'decompose',
  swiglu: 'decompose',
}
