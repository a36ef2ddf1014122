import { GraphError, shapeError } from './error.js'
import { add } from './ops/arithmetic.js'
import { fill } from './ops/leaf.js'
import { ruleOf } from './ops/table.js'
import { sameShape } from './shapes.js'
import { lift, type Tensor } from './tensor.js'
import { topologicalOrder } from './topological-order.js'

/**
 * Derivatives of a scalar with respect to tensors of its expression, by reverse mode. With a `seed` of its shape the loss
 * may be any tensor: the result is the vector-Jacobian product. Zeros where the loss does not depend on a tensor.
 * Throws COLLIMATE_GRAPH_NO_GRADIENT where the way leads through an op without a derivative.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[], seed?: Tensor): Tensor[] {
  if (loss.dtype !== 'float') throw noGradient('the loss', `it is ${loss.dtype}`)
  if (!seed && loss.size !== 1)
    throw shapeError('gradients', [loss], 'the loss is not a scalar', 'give a seed of its shape')
  if (seed && !sameShape(seed.shape, loss.shape))
    throw shapeError('gradients', [loss, seed], 'the seed needs the shape of the loss')
  const wanted = new Set(wrt)
  for (const tensor of wrt) if (tensor.dtype !== 'float') throw noGradient('a tensor', `it is ${tensor.dtype}`)

  const order = topologicalOrder([loss])
  const relevant = new Set<Tensor>()
  for (const tensor of order) {
    if (wanted.has(tensor) || tensor.inputs.some((operand) => relevant.has(operand))) {
      if (tensor.dtype === 'float') relevant.add(tensor)
    }
  }
  const cotangents = new Map<Tensor, Tensor>()
  cotangents.set(loss, seed ?? (loss.rank === 0 ? lift(1) : fill(1, loss.shape)))
  for (const y of order.reverse()) {
    const g = cotangents.get(y)
    if (!g || !relevant.has(y) || y.op === 'input' || y.op === 'constant') continue
    if (!y.inputs.some((operand) => relevant.has(operand))) continue
    const rule = ruleOf(y.op)
    if ('noGradient' in rule) throw noGradient(y.op, rule.noGradient)
    rule.gradient(g, y.inputs, y, y.attributes).forEach((cotangent, i) => {
      const operand = y.inputs[i]
      if (!cotangent || !relevant.has(operand)) return
      const other = cotangents.get(operand)
      cotangents.set(operand, other ? add(other, cotangent) : cotangent)
    })
  }
  return wrt.map((tensor) => (relevant.has(tensor) && cotangents.get(tensor)) || fill(0, tensor.shape))
}

function noGradient(what: string, why: string): GraphError {
  return new GraphError(
    'COLLIMATE_GRAPH_NO_GRADIENT',
    `${what} has no derivative: ${why}`,
    'wrap it in stopGradient where it is meant as a constant',
  )
}
