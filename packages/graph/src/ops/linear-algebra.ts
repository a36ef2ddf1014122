import { requireDType, shapeError } from '../error.js'
import { multiply } from '../kernels/matmul.js'
import { expand } from '../kernels/strided.js'
import { broadcastShapes, sizeOf } from '../shapes.js'
import { applier, type Tensor } from '../tensor.js'
import type { Typed } from '../types.js'
import { sumTo } from './reduce.js'
import type { Rules } from './rule.js'
import { reshape } from './shape.js'

// An alias, because an interface has no index signature.
type MatmulFlags = { readonly transposeA: boolean; readonly transposeB: boolean; readonly scale: number }

/** Attributes of products. */
export interface LinearAlgebraAttributes {
  matmul: MatmulFlags
}

function sizesOf([a, b]: readonly Typed[], { transposeA, transposeB }: MatmulFlags) {
  const [aRows, aColumns] = a.shape.slice(-2)
  const [bRows, bColumns] = b.shape.slice(-2)
  return {
    rows: transposeA ? aColumns : aRows,
    inner: transposeA ? aRows : aColumns,
    innerB: transposeB ? bColumns : bRows,
    columns: transposeB ? bRows : bColumns,
  }
}

export const linearAlgebra: Rules<LinearAlgebraAttributes> = {
  matmul: {
    arity: 2,
    fused: false,
    infer: (inputs, flags) => {
      requireDType('matmul', inputs, 0, 'float')
      requireDType('matmul', inputs, 1, 'float')
      const [a, b] = inputs
      if (a.shape.length < 2 || b.shape.length < 2)
        throw shapeError('matmul', inputs, 'both operands need rank 2 or more')
      const { rows, inner, innerB, columns } = sizesOf(inputs, flags)
      if (inner !== innerB) throw shapeError('matmul', inputs, `the inner dimensions are ${inner} and ${innerB}`)
      const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2))
      if (!batch) throw shapeError('matmul', inputs, 'the batch dimensions do not broadcast')
      return { dtype: 'float', shape: [...batch, rows, columns] }
    },
    evaluate: (inputs, flags, output) => {
      const [a, b] = inputs
      const { rows, inner, columns } = sizesOf(inputs, flags)
      const batch = output.shape.slice(0, -2)
      const left = expand(a, [...batch, ...a.shape.slice(-2)]) as Float64Array
      const right = expand(b, [...batch, ...b.shape.slice(-2)]) as Float64Array
      const out = new Float64Array(sizeOf(output.shape))
      const product = { ...flags, rows, inner, columns }
      for (let i = 0; i < sizeOf(batch); i++) {
        multiply(out, i * rows * columns, left, i * rows * inner, right, i * inner * columns, product)
      }
      return out
    },
    // Flags instead of transposes: with op(A) and op(B) as used, dA = g op(B)ᵀ and dB = op(A)ᵀ g, transposed where A or B was.
    gradient: (g, [a, b], _, { transposeA, transposeB, scale }) => {
      const da = transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
        : matmul(g, b, { transposeB: !transposeB, scale })
      const db = transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA, scale })
        : matmul(a, g, { transposeA: !transposeA, scale })
      return [sumTo(da, a.shape), sumTo(db, b.shape)]
    },
  },
}
const apply = applier<LinearAlgebraAttributes>(linearAlgebra)

/**
 * scale · a b over the last two axes, each transposed first where flagged; leading axes are a batch and broadcast.
 * A batch times a matrix runs as one product of all rows.
 */
export function matmul(a: Tensor, b: Tensor, options: Partial<MatmulFlags> = {}): Tensor {
  const { transposeA = false, transposeB = false, scale = 1 } = options
  const flags = { transposeA, transposeB, scale }
  if (b.rank !== 2 || a.rank <= 2 || transposeA) return apply('matmul', [a, b], flags)
  const rows = apply('matmul', [reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape[a.rank - 1]]), b], flags)
  return reshape(rows, [...a.shape.slice(0, -1), rows.shape[1]])
}
