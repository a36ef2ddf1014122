import * as activation from '../ops/activation.js'
import * as arithmetic from '../ops/arithmetic.js'
import * as attention from '../ops/attention.js'
import * as compare from '../ops/compare.js'
import * as convert from '../ops/convert.js'
import * as elementwise from '../ops/elementwise.js'
import * as indexing from '../ops/indexing.js'
import { constant } from '../ops/leaf.js'
import * as likelihood from '../ops/likelihood.js'
import { matmul } from '../ops/linear-algebra.js'
import * as normalization from '../ops/normalization.js'
import * as reduce from '../ops/reduce.js'
import * as shapes from '../ops/shape.js'
import type { OpName } from '../ops/table.js'
import type { Tensor } from '../tensor.js'
import type { Shape } from '../types.js'
import { broadcastable, makeSampler, type Sample, type Sampler } from './sampler.js'

type Make = (draw: Sampler) => Tensor

/** A random application of `op` to inputs with values, away from kinks and poles: what laws over ops and backends try. */
export function sampleOp(op: OpName, random: () => number): Sample {
  const draw = makeSampler(random)
  const tensor = samples[op](draw)
  return { tensor, values: draw.values }
}

function unary(op: (x: Tensor) => Tensor, low = -2, high = 2): Make {
  return (draw) => op(draw.floats(draw.shape(0, 3), low, high))
}

function nonZero(draw: Sampler, shape: Shape): Tensor {
  return draw.integer(0, 1) === 0 ? draw.floats(shape, 0.5, 3) : draw.floats(shape, -3, -0.5)
}

function kinked(op: (x: Tensor) => Tensor): Make {
  return (draw) => op(draw.apart(draw.shape(0, 3)))
}

function binary(op: (a: Tensor, b: Tensor) => Tensor): Make {
  return (draw) => {
    const [a, b] = broadcastable(draw)
    return op(draw.apart(a), draw.apart(b, 0.2))
  }
}

/** Over floats, or over ints that are often equal. */
function comparison(op: (a: Tensor, b: Tensor) => Tensor): Make {
  return (draw) => {
    const [a, b] = broadcastable(draw)
    return draw.integer(0, 1) === 0 ? op(draw.indices(a, 3), draw.indices(b, 3)) : op(draw.apart(a), draw.apart(b, 0.2))
  }
}

function logical(op: (a: Tensor, b: Tensor) => Tensor): Make {
  return (draw) => {
    const [a, b] = broadcastable(draw)
    return op(draw.bools(a), draw.bools(b))
  }
}

function alongAxes(op: (x: Tensor, axes: number[] | undefined, keepDims: boolean) => Tensor): Make {
  return (draw) => {
    const x = draw.distinct(draw.shape(0, 4))
    const axes = x.shape.map((_, axis) => axis).filter(() => draw.integer(0, 1) === 0)
    return op(x, draw.integer(0, 4) === 0 ? undefined : axes, draw.integer(0, 1) === 0)
  }
}

function alongAxis(op: (x: Tensor, axis: number) => Tensor): Make {
  return (draw) => {
    const x = draw.distinct(draw.shape(1, 3))
    return op(x, draw.integer(-x.rank, x.rank - 1))
  }
}

function rows(op: (x: Tensor, draw: Sampler, width: number) => Tensor): Make {
  return (draw) => {
    const x = draw.floats([...draw.shape(0, 2), draw.integer(1, 5)])
    return op(x, draw, x.shape[x.rank - 1])
  }
}

/** x with one axis replaced, for ops that index along it. */
function indexed(draw: Sampler): { x: Tensor; axis: number; indices: Tensor } {
  const x = draw.floats(draw.shape(1, 3))
  const axis = draw.integer(0, x.rank - 1)
  const count = draw.integer(1, 5)
  return {
    x,
    axis,
    indices: draw.indices(
      x.shape.map((size, d) => (d === axis ? count : size)),
      x.shape[axis],
    ),
  }
}

/** Per op how it is sampled: an op without samples does not compile. */
const samples: Readonly<Record<OpName, Make>> = {
  constant: (draw) => {
    const shape = draw.shape(0, 3)
    const size = shape.reduce((product, length) => product * length, 1)
    return constant(
      Array.from({ length: size }, () => draw.integer(-9, 9)),
      shape,
      draw.choose(['float', 'int']),
    )
  },
  neg: unary(elementwise.neg),
  exp: unary(elementwise.exp),
  expm1: unary(elementwise.expm1),
  log: unary(elementwise.log, 0.4, 3),
  log1p: unary(elementwise.log1p, -0.5, 3),
  sqrt: unary(elementwise.sqrt, 0.4, 3),
  rsqrt: unary(elementwise.rsqrt, 0.4, 3),
  reciprocal: (draw) => elementwise.reciprocal(nonZero(draw, draw.shape(0, 3))),
  abs: kinked(elementwise.abs),
  sign: kinked(elementwise.sign),
  tanh: unary(elementwise.tanh),
  sigmoid: unary(elementwise.sigmoid, -4, 4),
  logSigmoid: unary(elementwise.logSigmoid, -4, 4),
  softplus: unary(elementwise.softplus, -4, 4),
  sin: unary(elementwise.sin),
  cos: unary(elementwise.cos),
  erf: unary(elementwise.erf),
  relu: kinked(elementwise.relu),
  pow: (draw) => {
    const exponent = draw.choose([-1.5, -1, 0, 0.5, 2, 3, 4])
    return elementwise.pow(
      draw.floats(draw.shape(0, 3), Number.isInteger(exponent) && exponent >= 0 ? -2 : 0.4, 2),
      exponent,
    )
  },
  add: binary(arithmetic.add),
  sub: binary(arithmetic.sub),
  mul: binary(arithmetic.mul),
  div: (draw) => {
    const [a, b] = broadcastable(draw)
    return arithmetic.div(draw.floats(a), nonZero(draw, b))
  },
  maximum: binary(arithmetic.maximum),
  minimum: binary(arithmetic.minimum),
  equal: comparison(compare.equal),
  notEqual: comparison(compare.notEqual),
  less: comparison(compare.less),
  lessEqual: comparison(compare.lessEqual),
  greater: comparison(compare.greater),
  greaterEqual: comparison(compare.greaterEqual),
  and: logical(compare.and),
  or: logical(compare.or),
  not: (draw) => compare.not(draw.bools(draw.shape(0, 3))),
  where: (draw) => {
    const [a, b] = broadcastable(draw)
    const condition = draw.choose([a, b, []])
    return compare.where(draw.bools(condition), draw.floats(a), draw.floats(b))
  },
  cast: (draw) => {
    const shape = draw.shape(0, 3)
    const from = draw.choose([draw.apart, draw.bools])(shape)
    return convert.cast(
      from,
      draw.choose(from.dtype === 'float' ? (['int', 'bool'] as const) : (['float', 'int'] as const)),
    )
  },
  stopGradient: unary(convert.stopGradient),
  reshape: (draw) => {
    const x = draw.floats(draw.shape(0, 4))
    return shapes.reshape(x, draw.choose([[-1], [1, x.size], [...x.shape, 1, -1], x.shape.toReversed()]))
  },
  transpose: (draw) => {
    const x = draw.floats(draw.shape(0, 4))
    const axes = x.shape.map((_, axis) => ({ axis, key: draw.integer(0, 99) })).sort((p, q) => p.key - q.key)
    return shapes.transpose(
      x,
      axes.map(({ axis }) => axis),
    )
  },
  broadcastTo: (draw) => {
    const to = draw.shape(0, 3)
    const from = to.slice(draw.integer(0, to.length)).map((size) => (draw.integer(0, 1) === 0 ? 1 : size))
    return shapes.broadcastTo(draw.floats(from), to)
  },
  slice: (draw) => {
    const x = draw.floats(draw.shape(0, 3))
    const starts = x.shape.map((size) => draw.integer(0, size - 1))
    return shapes.slice(
      x,
      starts,
      x.shape.map((size, axis) => draw.integer(starts[axis] + 1, size)),
    )
  },
  concat: (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const part = () => draw.floats(shape.map((size, d) => (d === axis ? draw.integer(1, 3) : size)))
    return shapes.concat(Array.from({ length: draw.integer(1, 4) }, part), axis)
  },
  pad: (draw) => {
    const x = draw.floats(draw.shape(0, 3))
    const counts = () => x.shape.map(() => draw.integer(0, 2))
    return shapes.pad(x, counts(), counts(), draw.integer(0, 1))
  },
  gather: (draw) => {
    const table = draw.floats(draw.shape(1, 3))
    const axis = draw.integer(0, table.rank - 1)
    return indexing.gather(table, draw.indices(draw.shape(0, 2), table.shape[axis]), axis)
  },
  takeAlong: (draw) => {
    const { x, axis, indices } = indexed(draw)
    return indexing.takeAlong(x, indices, axis)
  },
  scatterAdd: (draw) => {
    const { x, axis, indices } = indexed(draw)
    return indexing.scatterAdd(x, indices, draw.floats(indices.shape), axis)
  },
  sum: alongAxes(reduce.sum),
  max: alongAxes(reduce.max),
  argmax: (draw) => {
    const shape = draw.shape(1, 3)
    const x = draw.integer(0, 1) === 0 ? draw.distinct(shape) : draw.indices(shape, 3)
    return reduce.argmax(x, draw.integer(0, x.rank - 1))
  },
  cumsum: alongAxis((x, axis) => reduce.cumsum(x, axis, { reverse: axis < 0 })),
  sortDescending: (draw) => {
    const x = draw.distinct([...draw.shape(0, 2), draw.integer(1, 5)])
    return reduce.sortDescending(x, draw.integer(1, x.shape[x.rank - 1]))
  },
  logSumExp: alongAxis(reduce.logSumExp),
  matmul: (draw) => {
    const [m, k, n] = [draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4)]
    const [transposeA, transposeB] = [draw.integer(0, 1) === 1, draw.integer(0, 1) === 1]
    const [batchA, batchB] = broadcastable(draw)
    const a = draw.floats([...batchA, ...(transposeA ? [k, m] : [m, k])])
    const b = draw.floats([...batchB, ...(transposeB ? [n, k] : [k, n])])
    return matmul(a, b, { transposeA, transposeB, scale: draw.choose([1, 0.5, -2]) })
  },
  gelu: unary((x) => activation.gelu(x, x.size % 2 === 0 ? 'tanh' : 'erf'), -4, 4),
  silu: unary(activation.silu, -4, 4),
  swiglu: (draw) => {
    const shape = draw.shape(0, 3)
    return activation.swiglu(draw.floats(shape), draw.floats(shape))
  },
  softmax: rows(normalization.softmax),
  logSoftmax: rows(normalization.logSoftmax),
  rmsNorm: rows((x, draw, width) => normalization.rmsNorm(x, draw.floats([width]), draw.choose([1e-2, 0.5]))),
  layerNorm: rows((x, draw, width) =>
    normalization.layerNorm(x, draw.floats([width]), draw.floats([width]), draw.choose([1e-2, 0.5])),
  ),
  rotary: (draw) => {
    const [b, h, s, half, m] = [1, 2, 3, 3, 5].map((high) => draw.integer(1, high))
    const x = draw.floats([b, h, s, 2 * half])
    return attention.rotary(x, draw.floats([m, half]), draw.floats([m, half]), draw.indices([b, s], m))
  },
  attend: (draw) => {
    const [q, k, d] = [draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 3)]
    const [batchScores, batchValues] = broadcastable(draw)
    return attention.attend(draw.floats([...batchScores, q, k]), draw.floats([...batchValues, k, d]))
  },
  tokenLogProbs: (draw) => {
    const [t, v] = [draw.integer(1, 4), draw.integer(1, 5)]
    return likelihood.tokenLogProbs(draw.floats([t, v]), draw.indices([t], v))
  },
  headLogProbs: (draw) => {
    const [t, d, v] = [draw.integer(1, 4), draw.integer(1, 3), draw.integer(1, 5)]
    const scale = draw.choose([1, 0.5])
    return likelihood.headLogProbs(draw.floats([t, d]), draw.floats([v, d]), draw.indices([t], v), scale)
  },
}
