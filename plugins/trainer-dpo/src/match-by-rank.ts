import { and, cast, constant, equal, less, or, reshape, sum, where } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

/**
 * For each element of x [n] the element of y [n] that has the same rank: x[i] stands beside y[j] where both are the k-th
 * smallest of the real elements. Ties go by position. What is not real has no rank, and 0 beside it.
 *
 * Matching is sorting both, with the sorted x put back in place. Ranks are counted by comparison, n² of them; the gradient
 * flows to the matched elements of y.
 */
export function matchByRank(x: Tensor, y: Tensor, real: Tensor): Tensor {
  const same = and(equal(column(rank(x, real)), row(rank(y, real))), and(column(real), row(real)))
  return sum(where(same, row(y), 0), 1)
}

/** How many real elements come before each one. */
function rank(x: Tensor, real: Tensor): Tensor {
  const n = x.size
  const earlier = constant(
    Uint8Array.from({ length: n * n }, (_, at) => Number(at % n < Math.floor(at / n))),
    [n, n],
  )
  const before = or(less(row(x), column(x)), and(equal(row(x), column(x)), earlier))
  return sum(cast(and(before, row(real)), 'float'), 1)
}

const row = (x: Tensor): Tensor => reshape(x, [1, x.size])
const column = (x: Tensor): Tensor => reshape(x, [x.size, 1])
