import { requireDType, shapeError } from '../error.js'
import { multiply } from '../kernels/matmul.js'
import { rowLogSumExp } from '../kernels/rows.js'
import { requireIndex } from '../kernels/strided.js'
import { applier, type Tensor } from '../tensor.js'
import type { None, TensorData } from '../types.js'
import { mul } from './arithmetic.js'
import { exp, neg } from './elementwise.js'
import { scatterAdd, takeAlong } from './indexing.js'
import { fill } from './leaf.js'
import { matmul } from './linear-algebra.js'
import { logSoftmax } from './normalization.js'
import type { Rules } from './rule.js'
import { reshape } from './shape.js'

/** Attributes of log-likelihoods of tokens. */
export interface LikelihoodAttributes {
  tokenLogProbs: None
  headLogProbs: { readonly scale: number }
}

function pickLogProbs(logits: Float64Array, targets: TensorData, width: number): Float64Array {
  return Float64Array.from(targets, (target, row) => {
    requireIndex('tokenLogProbs', target, width)
    return logits[row * width + target] - rowLogSumExp(logits, row * width, width)
  })
}

/** softmax(logits) with 1 subtracted at each row's target: minus the derivative of the picked log-probability. */
function surprise(logits: Tensor, targets: Tensor): Tensor {
  const column = [targets.size, 1]
  return scatterAdd(exp(logSoftmax(logits)), reshape(targets, column), fill(-1, column), 1)
}

export const likelihood: Rules<LikelihoodAttributes> = {
  tokenLogProbs: {
    arity: 2,
    fused: true,
    infer: (inputs) => {
      const [logits, targets] = inputs
      requireDType('tokenLogProbs', inputs, 0, 'float')
      requireDType('tokenLogProbs', inputs, 1, 'int')
      if (logits.shape.length !== 2 || targets.shape.length !== 1 || logits.shape[0] !== targets.shape[0]) {
        throw shapeError('tokenLogProbs', inputs, 'expected logits [T,V] and targets [T]')
      }
      return { dtype: 'float', shape: targets.shape }
    },
    evaluate: ([logits, targets]) => pickLogProbs(logits.data as Float64Array, targets.data, logits.shape[1]),
    gradient: (g, [logits, targets]) => [mul(surprise(logits, targets), neg(reshape(g, [g.size, 1]))), undefined],
    decompose: ([logits, targets]) => {
      const column = reshape(targets, [targets.size, 1])
      return reshape(takeAlong(logSoftmax(logits), column, 1), targets.shape)
    },
  },
  headLogProbs: {
    arity: 3,
    fused: true,
    infer: (inputs) => {
      const [hidden, head, targets] = inputs
      requireDType('headLogProbs', inputs, 0, 'float')
      requireDType('headLogProbs', inputs, 1, 'float')
      requireDType('headLogProbs', inputs, 2, 'int')
      const fits =
        hidden.shape.length === 2 &&
        head.shape.length === 2 &&
        targets.shape.length === 1 &&
        hidden.shape[0] === targets.shape[0] &&
        hidden.shape[1] === head.shape[1]
      if (!fits) throw shapeError('headLogProbs', inputs, 'expected hidden [T,D], head [V,D] and targets [T]')
      return { dtype: 'float', shape: targets.shape }
    },
    evaluate: ([hidden, head, targets], { scale }) => {
      const [rows, inner] = hidden.shape
      const columns = head.shape[0]
      const logits = new Float64Array(rows * columns)
      const product = { rows, inner, columns, transposeA: false, transposeB: true, scale }
      multiply(logits, 0, hidden.data as Float64Array, 0, head.data as Float64Array, 0, product)
      return pickLogProbs(logits, targets.data, columns)
    },
    // The cotangent scales the narrow [T,D] side, never the [T,V] side.
    gradient: (g, [hidden, head, targets], _, { scale }) => {
      const wrong = surprise(matmul(hidden, head, { transposeB: true, scale }), targets)
      const weights = reshape(g, [g.size, 1])
      return [
        mul(matmul(wrong, head, { scale: -scale }), weights),
        matmul(wrong, mul(hidden, weights), { transposeA: true, scale: -scale }),
        undefined,
      ]
    },
    decompose: ([hidden, head, targets], { scale }) =>
      tokenLogProbs(matmul(hidden, head, { transposeB: true, scale }), targets),
  },
}
const apply = applier<LikelihoodAttributes>(likelihood)

/** Log-probability of each row's target: logits [T,V], int targets [T], result [T]. */
export function tokenLogProbs(logits: Tensor, targets: Tensor): Tensor {
  return apply('tokenLogProbs', [logits, targets], {})
}

/** Log-probability of each row's target under softmax(scale · hidden headᵀ): hidden [T,D], head [V,D], result [T]. */
export function headLogProbs(hidden: Tensor, head: Tensor, targets: Tensor, scale = 1): Tensor {
  return apply('headLogProbs', [hidden, head, targets], { scale })
}
