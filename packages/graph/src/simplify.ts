import { interner } from './intern.js'
import { type Program, rebuild } from './program.js'
import { rewrite } from './rewrite.js'
import { Tensor } from './tensor.js'

/**
 * The same values from fewer nodes: equal expressions merge, small constants fold, identities and dead code go.
 * Inputs, outputs and updates stay as they are, used or not.
 */
export function simplify(program: Program): Program {
  return rebuild(program, simplifier())
}

/** Maps equal expressions to one simplified tensor; remembers what it has seen. */
export function simplifier(): (tensor: Tensor) => Tensor {
  const intern = interner()
  const settled = new Map<Tensor, Tensor>()

  function settle(tensor: Tensor): Tensor {
    const known = settled.get(tensor)
    if (known) return known
    const inputs = tensor.inputs.map(settle)
    const same = inputs.every((operand, i) => operand === tensor.inputs[i])
    const node = same ? tensor : new Tensor(tensor.op, inputs, tensor.attributes, tensor.dtype, tensor.shape)
    const simpler = rewrite(node)
    const result = simpler ? settle(simpler) : intern(node)
    settled.set(tensor, result)
    settled.set(result, result)
    return result
  }
  return settle
}
