import { GraphError } from './error.js'
import { type OpName, ruleOf } from './ops/table.js'
import { type Program, rebuild } from './program.js'
import { simplifier } from './simplify.js'
import { Tensor } from './tensor.js'

/**
 * The program with every fused op that is not kept replaced by simpler ones, then simplified: what the derivative shares
 * with the decomposed forward pass merges. Throws COLLIMATE_GRAPH_UNSUPPORTED where a primitive op is not kept.
 */
export function decompose(program: Program, keep: (op: OpName) => boolean): Program {
  const expanded = new Map<Tensor, Tensor>()

  function expand(tensor: Tensor): Tensor {
    const known = expanded.get(tensor)
    if (known) return known
    const inputs = tensor.inputs.map(expand)
    const same = inputs.every((operand, i) => operand === tensor.inputs[i])
    const { op, attributes, dtype, shape } = tensor
    let result = same ? tensor : new Tensor(op, inputs, attributes, dtype, shape)
    if (op !== 'input' && !keep(op)) {
      const rule = ruleOf(op)
      if (!rule.fused)
        throw new GraphError('COLLIMATE_GRAPH_UNSUPPORTED', `program ${program.name} needs ${op}, which is primitive`)
      result = expand(rule.decompose(inputs, attributes))
    }
    expanded.set(tensor, result)
    return result
  }
  const settle = simplifier()
  return rebuild(program, (tensor) => settle(expand(tensor)))
}
