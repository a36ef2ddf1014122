export type { AttributeValue, Attributes, DType, HostTensor, Shape, TensorData, Typed } from './types.js'
export { GraphError } from './error.js'
export { broadcastShapes, sameShape, sizeOf, stridesOf } from './shapes.js'
export { Tensor, type Operand } from './tensor.js'
export { type OpAttributes, type OpName, opNames, ops } from './ops/table.js'
export type { Rule, Rules } from './ops/rule.js'
export { constant, fill, input, iota } from './ops/leaf.js'
export {
  abs,
  cos,
  erf,
  exp,
  expm1,
  log,
  log1p,
  logSigmoid,
  neg,
  pow,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  tanh,
} from './ops/elementwise.js'
export { add, div, maximum, minimum, mul, sub } from './ops/arithmetic.js'
export { and, equal, greater, greaterEqual, less, lessEqual, not, notEqual, or, where } from './ops/compare.js'
export { cast, stopGradient } from './ops/convert.js'
export { broadcastTo, concat, pad, reshape, slice, transpose } from './ops/shape.js'
export { gather, scatterAdd, takeAlong } from './ops/indexing.js'
export { argmax, cumsum, logSumExp, max, mean, sortDescending, sum, sumTo } from './ops/reduce.js'
export { matmul } from './ops/linear-algebra.js'
export { gelu, type GeluForm, silu, swiglu } from './ops/activation.js'
export { layerNorm, logSoftmax, rmsNorm, softmax } from './ops/normalization.js'
export { attend, rotary } from './ops/attention.js'
export { headLogProbs, tokenLogProbs } from './ops/likelihood.js'
export {
  type Program,
  program,
  type ProgramInput,
  type ProgramNode,
  type ProgramSpec,
  type ProgramUpdate,
  type StateUpdate,
  tensorsOf,
} from './program.js'
export { gradients } from './gradients.js'
export { simplify } from './simplify.js'
export { checkProgram, type ForeignProgram } from './check-program.js'
export { expression as sampleExpression } from './samples/expression.js'
export { sampleOp } from './samples/op-samples.js'
export type { Sample } from './samples/sampler.js'
export { decompose } from './decompose.js'
export { type Bindings, evaluate, interpret, type Values } from './interpret.js'
