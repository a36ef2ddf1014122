import type { OpAttributes } from '@collimate/graph'
import { elementTypeOf } from '../graph-builder.js'
import { names, only, plain, type Lowerings } from './lowering.js'

type ElementwiseOp =
  | ('neg' | 'exp' | 'expm1' | 'log' | 'log1p' | 'sqrt' | 'rsqrt' | 'reciprocal' | 'abs' | 'sign' | 'tanh' | 'sigmoid')
  | ('logSigmoid' | 'softplus' | 'sin' | 'cos' | 'erf' | 'relu' | 'pow')
  | ('add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum')
  | ('equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual' | 'and' | 'or' | 'not' | 'where')
  | ('cast' | 'stopGradient' | 'gelu' | 'silu' | 'swiglu')

/** Functions of the elements at one place. */
export const elementwise: Lowerings<Pick<OpAttributes, ElementwiseOp>> = {
  neg: plain('Neg'),
  exp: plain('Exp'),
  // tanh(x / 2) (exp(x) + 1): no cancellation near 0, and no condition.
  expm1: (graph, inputs) => {
    const { name } = only(inputs)
    const half = graph.emit('Tanh', [graph.emit('Mul', [name, graph.scalar(0.5)])])
    return graph.emit('Mul', [half, graph.emit('Add', [graph.emit('Exp', [name]), graph.scalar(1)])])
  },
  log: plain('Log'),
  log1p: 'decompose',
  sqrt: plain('Sqrt'),
  rsqrt: 'decompose',
  reciprocal: plain('Reciprocal'),
  abs: plain('Abs'),
  sign: plain('Sign'),
  tanh: plain('Tanh'),
  sigmoid: plain('Sigmoid'),
  logSigmoid: 'decompose',
  // Decomposed: the kernel loses what is small, log(1 + exp(-20)) becomes 0.
  softplus: 'decompose',
  sin: plain('Sin'),
  cos: plain('Cos'),
  erf: plain('Erf'),
  relu: plain('Relu'),
  pow: (graph, inputs, { exponent }) => {
    const { name } = only(inputs)
    if (exponent === 2) return graph.emit('Mul', [name, name])
    if (exponent === 0.5) return graph.emit('Sqrt', [name])
    return graph.emit('Pow', [name, graph.scalar(exponent)])
  },
  add: plain('Add'),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  maximum: plain('Max'),
  minimum: plain('Min'),
  equal: plain('Equal'),
  notEqual: (graph, inputs) => graph.emit('Not', [graph.emit('Equal', names(inputs))]),
  less: plain('Less'),
  lessEqual: plain('LessOrEqual'),
  greater: plain('Greater'),
  greaterEqual: plain('GreaterOrEqual'),
  and: plain('And'),
  or: plain('Or'),
  not: plain('Not'),
  where: plain('Where'),
  cast: (graph, inputs, { dtype }) => graph.cast(only(inputs).name, elementTypeOf[dtype]),
  stopGradient: 'decompose',
  gelu: (graph, inputs, { form }) =>
    graph.emit('Gelu', names(inputs), { attributes: { approximate: { text: form === 'tanh' ? 'tanh' : 'none' } } }),
  // Decomposed: the sigmoid is shared with the derivative, and ONNX Runtime fuses it where nobody else needs it.
  silu: 'decompose',
  swiglu: 'decompose',
}
