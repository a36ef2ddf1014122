import { silu, swiglu } from '../ops/activation.js'
import { add, mul, sub } from '../ops/arithmetic.js'
import { greater, where } from '../ops/compare.js'
import { neg, sigmoid, sin, softplus, tanh } from '../ops/elementwise.js'
import { gather } from '../ops/indexing.js'
import { constant, fill, input } from '../ops/leaf.js'
import { matmul } from '../ops/linear-algebra.js'
import { layerNorm, logSoftmax, rmsNorm, softmax } from '../ops/normalization.js'
import { logSumExp, mean, sum } from '../ops/reduce.js'
import { broadcastTo, concat, reshape, slice, transpose } from '../ops/shape.js'
import type { Tensor } from '../tensor.js'

/** A smooth expression of `size` steps over 3 × 3 inputs, with values: material for laws of whole programs. */
export function expression(random: () => number, size: number) {
  const inputs = ['a', 'b', 'c'].map((name) => input(name, [3, 3]))
  const values = Object.fromEntries(
    inputs.map(({ attributes }) => [String(attributes.name), Float64Array.from({ length: 9 }, () => 2 * random() - 1)]),
  )
  const pick = <T>(options: readonly T[]): T => options[Math.floor(random() * options.length)]
  const pool: Tensor[] = [...inputs, fill(0, [3, 3]), fill(1, [3, 3]), fill(-1, [3]), constant(0.5)]
  for (let i = 0; i < size; i++) pool.push(pick(steps)(full(pick(pool)), pick(pool), pick))
  return { tensor: pool.slice(-3).map(full).reduce(add), inputs, values }
}

const full = (x: Tensor): Tensor => broadcastTo(x, [3, 3])
type Step = (x: Tensor, y: Tensor, pick: <T>(options: readonly T[]) => T) => Tensor

/** Each keeps values small and shapes at 3 × 3 or broadcastable to it. */
const steps: readonly Step[] = [
  (x, y) => tanh(add(x, y)),
  (x, y) => sub(tanh(x), tanh(y)),
  (x, y) => mul(tanh(x), sigmoid(y)),
  (x) => mul(x, 1),
  (x) => add(0, neg(x)),
  (x) => mul(mul(x, -0.5), 2),
  (x) => sin(neg(neg(x))),
  (x) => transpose(x, [1, 0]),
  (x) => reshape(transpose(reshape(x, [1, 3, 3]), [2, 0, 1]), [3, 3]),
  (x) => tanh(sum(x, 0)),
  (x) => mean(x, 1, true),
  (x) => mean(x),
  (x) => logSumExp(x),
  (x) => softmax(x),
  (x) => tanh(logSoftmax(x)),
  (x) => softplus(x),
  (x) => silu(x),
  (x, y) => tanh(swiglu(x, full(y))),
  (x, y, pick) =>
    matmul(softmax(x), tanh(full(y)), { transposeA: pick([true, false]), transposeB: pick([true, false]) }),
  (x, y) => tanh(matmul(transpose(x, [1, 0]), full(y), { scale: 0.5 })),
  (x) => rmsNorm(tanh(x), constant([1, 2, -1]), 0.1),
  (x, y) => layerNorm(tanh(x), constant([1, 0.5, 1]), reshape(slice(full(y), [0, 0], [1, 3]), [3]), 0.1),
  (x, y) => slice(concat([x, full(y)], 0), [2, 0], [5, 3]),
  (x) => gather(x, constant([2, 0, 2], [3], 'int')),
  (x, y) => where(greater(constant([1, -1, 1]), 0), x, y),
]
