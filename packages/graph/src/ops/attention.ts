import { requireDType, shapeError } from '../error.js'
import { softmaxRows } from '../kernels/rows.js'
import { requireIndex } from '../kernels/strided.js'
import { applier, type Tensor } from '../tensor.js'
import type { None } from '../types.js'
import { add, mul, sub } from './arithmetic.js'
import { neg } from './elementwise.js'
import { gather, gatherTransposed } from './indexing.js'
import { linearAlgebra, matmul } from './linear-algebra.js'
import { softmax } from './normalization.js'
import { sum, sumTo } from './reduce.js'
import type { Rules } from './rule.js'
import { concat, reshape, slice } from './shape.js'

/** Attributes of the parts of attention. */
export interface AttentionAttributes {
  rotary: None
  attend: None
}

const plain = { transposeA: false, transposeB: false, scale: 1 }

/** The two halves of the last axis of [B,H,S,d]. */
function halves(x: Tensor): [Tensor, Tensor] {
  const [b, h, s, d] = x.shape
  return [slice(x, [0, 0, 0, 0], [b, h, s, d / 2]), slice(x, [0, 0, 0, d / 2], [b, h, s, d])]
}

/** Rows of a table [M,d/2] for positions [B,S], as [B,1,S,d/2]. */
function angles(table: Tensor, positions: Tensor): Tensor {
  const [b, s] = positions.shape
  return reshape(gather(table, positions), [b, 1, s, table.shape[1]])
}

export const attention: Rules<AttentionAttributes> = {
  rotary: {
    arity: 4,
    fused: true,
    infer: (inputs) => {
      const [x, cosTable, sinTable, positions] = inputs
      for (const i of [0, 1, 2]) requireDType('rotary', inputs, i, 'float')
      requireDType('rotary', inputs, 3, 'int')
      const [b, , s, d] = x.shape
      const fits =
        x.shape.length === 4 &&
        d % 2 === 0 &&
        [cosTable, sinTable].every(({ shape }) => shape.length === 2 && shape[1] === d / 2) &&
        cosTable.shape[0] === sinTable.shape[0] &&
        positions.shape.length === 2 &&
        positions.shape[0] === b &&
        positions.shape[1] === s
      if (!fits) throw shapeError('rotary', inputs, 'expected x [B,H,S,d], two tables [M,d/2] and positions [B,S]')
      return { dtype: 'float', shape: x.shape }
    },
    evaluate: ([x, cosTable, sinTable, positions]) => {
      const [b, h, s, d] = x.shape
      const half = d / 2
      const out = new Float64Array(x.data.length)
      for (let row = 0; row < b * h * s; row++) {
        const position = positions.data[Math.floor(row / (h * s)) * s + (row % s)]
        requireIndex('rotary', position, cosTable.shape[0])
        for (let i = 0; i < half; i++) {
          const c = cosTable.data[position * half + i]
          const n = sinTable.data[position * half + i]
          const first = x.data[row * d + i]
          const second = x.data[row * d + half + i]
          out[row * d + i] = first * c - second * n
          out[row * d + half + i] = second * c + first * n
        }
      }
      return out
    },
    // A rotation is undone by the opposite angle.
    gradient: (g, [x, cosTable, sinTable, positions]) => {
      const [b, , s, d] = x.shape
      const [x1, x2] = halves(x)
      const [g1, g2] = halves(g)
      const toTable = (cotangent: Tensor) =>
        gatherTransposed(sumTo(cotangent, [b, 1, s, d / 2]), cosTable.shape, positions, 0)
      return [
        rotary(g, cosTable, neg(sinTable), positions),
        toTable(add(mul(g1, x1), mul(g2, x2))),
        toTable(sub(mul(g2, x1), mul(g1, x2))),
        undefined,
      ]
    },
    decompose: ([x, cosTable, sinTable, positions]) => {
      const [first, second] = halves(x)
      const c = angles(cosTable, positions)
      const n = angles(sinTable, positions)
      return concat([sub(mul(first, c), mul(second, n)), add(mul(second, c), mul(first, n))], 3)
    },
  },
  attend: {
    arity: 2,
    fused: true,
    infer: (inputs) => {
      if (!(inputs[0].shape[inputs[0].shape.length - 1] > 0)) throw shapeError('attend', inputs, 'there are no keys')
      return linearAlgebra.matmul.infer(inputs, plain)
    },
    evaluate: ([scores, values], _, output) => {
      const weights = softmaxRows(scores.data, scores.shape[scores.shape.length - 1])
      return linearAlgebra.matmul.evaluate([{ ...scores, data: weights }, values], plain, output)
    },
    // The row sums of P ∘ dP equal those of dO ∘ O, which are much narrower (Dao et al. 2022).
    gradient: (g, [scores, values], y) => {
      const weights = softmax(scores)
      const dot = sumTo(sum(mul(g, y), -1, true), [...scores.shape.slice(0, -1), 1])
      const dWeights = sumTo(matmul(g, values, { transposeB: true }), scores.shape)
      return [mul(weights, sub(dWeights, dot)), sumTo(matmul(weights, g, { transposeA: true }), values.shape)]
    },
    decompose: ([scores, values]) => matmul(softmax(scores), values),
  },
}
const apply = applier<AttentionAttributes>(attention)

/**
 * Rotary position embedding (Su et al. 2021) in the half-split form of Llama: with x = [x1, x2] along the last axis, the
 * result is [x1 cos - x2 sin, x2 cos + x1 sin]. x [B,H,S,d]; tables [M,d/2]; int positions [B,S], each below M.
 */
export function rotary(x: Tensor, cosTable: Tensor, sinTable: Tensor, positions: Tensor): Tensor {
  return apply('rotary', [x, cosTable, sinTable, positions], {})
}

/** softmax(scores) · values: scores [...,Q,K] already scaled and masked, values [...,K,d]; result [...,Q,d]. */
export function attend(scores: Tensor, values: Tensor): Tensor {
  return apply('attend', [scores, values], {})
}
