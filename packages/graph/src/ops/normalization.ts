import { requireDType, shapeError } from '../error.js'
import { rowLogSumExp, softmaxRows } from '../kernels/rows.js'
import { sizeOf } from '../shapes.js'
import { applier, type Tensor } from '../tensor.js'
import type { None, Typed } from '../types.js'
import { add, div, mul, sub } from './arithmetic.js'
import { stopGradient } from './convert.js'
import { exp, rsqrt } from './elementwise.js'
import { matmul } from './linear-algebra.js'
import { logSumExp, max, mean, sum } from './reduce.js'
import type { Rules } from './rule.js'
import { reshape } from './shape.js'

/** Attributes of ops that normalise the last axis. */
export interface NormalizationAttributes {
  softmax: None
  logSoftmax: None
  rmsNorm: { readonly epsilon: number }
  layerNorm: { readonly epsilon: number }
}

function inferRows(op: string, inputs: readonly Typed[]): Typed {
  const [x, ...vectors] = inputs
  inputs.forEach((_, i) => requireDType(op, inputs, i, 'float'))
  const width = x.shape[x.shape.length - 1]
  if (!(width > 0)) throw shapeError(op, inputs, 'operand 0 needs a last axis with values')
  if (vectors.some(({ shape }) => shape.length !== 1 || shape[0] !== width)) {
    throw shapeError(op, inputs, `the other operands must be vectors of ${width}`)
  }
  return { dtype: 'float', shape: x.shape }
}

/** Σ over the last axis of x · vector / width, kept as an axis of 1: as a product with a column it is one pass. */
function rowMean(x: Tensor, vector: Tensor): Tensor {
  const width = vector.shape[0]
  if (x.rank === 1) return mean(mul(x, vector), -1, true)
  return matmul(x, reshape(vector, [width, 1]), { scale: 1 / width })
}

/** The sum of all rows of the last axis. */
function sumRows(x: Tensor): Tensor {
  return sum(
    x,
    x.shape.slice(0, -1).map((_, axis) => axis),
  )
}

function rmsScale(x: Tensor, epsilon: number): Tensor {
  return rsqrt(add(mean(mul(x, x), -1, true), epsilon))
}

function standardize(x: Tensor, epsilon: number): { scale: Tensor; normal: Tensor } {
  const centered = sub(x, mean(x, -1, true))
  const scale = rmsScale(centered, epsilon)
  return { scale, normal: mul(centered, scale) }
}

export const normalization: Rules<NormalizationAttributes> = {
  softmax: {
    arity: 1,
    fused: true,
    infer: (inputs) => inferRows('softmax', inputs),
    evaluate: ([x]) => softmaxRows(x.data, x.shape[x.shape.length - 1]),
    gradient: (g, _, y) => [mul(y, sub(g, sum(mul(g, y), -1, true)))],
    decompose: ([x]) => {
      const weights = exp(sub(x, stopGradient(max(x, -1, true))))
      return div(weights, sum(weights, -1, true))
    },
  },
  logSoftmax: {
    arity: 1,
    fused: true,
    infer: (inputs) => inferRows('logSoftmax', inputs),
    evaluate: ([x]) => {
      const width = x.shape[x.shape.length - 1]
      const out = new Float64Array(x.data.length)
      for (let start = 0; start < out.length; start += width) {
        const total = rowLogSumExp(x.data, start, width)
        for (let i = start; i < start + width; i++) out[i] = x.data[i] - total
      }
      return out
    },
    gradient: (g, _, y) => [sub(g, mul(exp(y), sum(g, -1, true)))],
    decompose: ([x]) => sub(x, reshape(logSumExp(x), [...x.shape.slice(0, -1), 1])),
  },
  rmsNorm: {
    arity: 2,
    fused: true,
    infer: (inputs) => inferRows('rmsNorm', inputs),
    evaluate: ([x, gain], { epsilon }) => {
      const width = gain.data.length
      const out = new Float64Array(x.data.length)
      for (let start = 0; start < out.length; start += width) {
        let squares = 0
        for (let i = 0; i < width; i++) squares += x.data[start + i] ** 2
        const scale = 1 / Math.sqrt(squares / width + epsilon)
        for (let i = 0; i < width; i++) out[start + i] = x.data[start + i] * scale * gain.data[i]
      }
      return out
    },
    // With n = x r: dx = r (g gain - n mean(g gain n)).
    gradient: (g, [x, gain], _, { epsilon }) => {
      const scale = rmsScale(x, epsilon)
      const normal = mul(x, scale)
      const gn = mul(g, normal)
      return [mul(scale, sub(mul(g, gain), mul(normal, rowMean(gn, gain)))), sumRows(gn)]
    },
    decompose: ([x, gain], { epsilon }) => mul(mul(x, rmsScale(x, epsilon)), gain),
  },
  layerNorm: {
    arity: 3,
    fused: true,
    infer: (inputs) => inferRows('layerNorm', inputs),
    evaluate: ([x, gain, bias], { epsilon }) => {
      const width = gain.data.length
      const out = new Float64Array(sizeOf(x.shape))
      for (let start = 0; start < out.length; start += width) {
        let total = 0
        for (let i = 0; i < width; i++) total += x.data[start + i]
        const center = total / width
        let squares = 0
        for (let i = 0; i < width; i++) squares += (x.data[start + i] - center) ** 2
        const scale = 1 / Math.sqrt(squares / width + epsilon)
        for (let i = 0; i < width; i++)
          out[start + i] = (x.data[start + i] - center) * scale * gain.data[i] + bias.data[i]
      }
      return out
    },
    // As rmsNorm, and the mean of g gain is removed too.
    gradient: (g, [x, gain], _, { epsilon }) => {
      const { scale, normal } = standardize(x, epsilon)
      const gn = mul(g, normal)
      const inner = sub(sub(mul(g, gain), rowMean(g, gain)), mul(normal, rowMean(gn, gain)))
      return [mul(scale, inner), sumRows(gn), sumRows(g)]
    },
    decompose: ([x, gain, bias], { epsilon }) => add(mul(standardize(x, epsilon).normal, gain), bias),
  },
}
const apply = applier<NormalizationAttributes>(normalization)

/** exp(x) / sum(exp(x)) over the last axis. */
export const softmax = (x: Tensor): Tensor => apply('softmax', [x], {})
/** x - logSumExp(x) over the last axis. */
export const logSoftmax = (x: Tensor): Tensor => apply('logSoftmax', [x], {})
/** x / sqrt(mean(x²) + epsilon) · gain over the last axis (Zhang and Sennrich 2019). */
export const rmsNorm = (x: Tensor, gain: Tensor, epsilon: number): Tensor => apply('rmsNorm', [x, gain], { epsilon })
/** (x - mean) / sqrt(variance + epsilon) · gain + bias over the last axis (Ba et al. 2016). */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor =>
  apply('layerNorm', [x, gain, bias], { epsilon })
