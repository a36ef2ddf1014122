import { type OpSupport, uniform } from '@collimate/core'
import { decompose, input, matmul, type OpName, opNames, program, sampleOp, type Tensor } from '@collimate/graph'

/** Applications of each op that are looked at: attributes and shapes make a difference. */
const samples = 16

/**
 * How each op is computed. `kernelsOf` names the kernels that an application of an op is written with; it is asked for
 * those that `keeps` says yes to, the others are decomposed.
 */
export function opTable(
  keeps: (op: OpName) => boolean,
  kernelsOf: (tensor: Tensor) => readonly string[],
): Readonly<Record<OpName, OpSupport>> {
  const supportOf = (op: OpName): OpSupport => {
    const into = new Set<string>()
    for (const tensor of applicationsOf(op))
      for (const name of keeps(op) ? kernelsOf(tensor) : opsOf(tensor, keeps)) into.add(name)
    return { how: keeps(op) ? 'kernel' : 'decomposed', into: [...into].sort() }
  }
  return Object.fromEntries(opNames.map((op) => [op, supportOf(op)])) as Record<OpName, OpSupport>
}

/** Ops that a decomposition is made of. */
function opsOf(tensor: Tensor, keeps: (op: OpName) => boolean): string[] {
  const whole = program({ name: tensor.op, outputs: { y: tensor }, simplify: false })
  return decompose(whole, keeps)
    .nodes.map(({ op }) => op)
    .filter((op) => op !== 'constant')
}

function applicationsOf(op: OpName): Tensor[] {
  let drawnSoFar = 0
  const random = () => uniform(0, 0, drawnSoFar++)
  const drawn = Array.from({ length: samples }, () => find(sampleOp(op, random).tensor, op))
  const [a, b] = [input('a', [2, 64, 64]), input('b', [2, 64, 64])]
  if (op === 'matmul') drawn.push(matmul(a, b, { transposeA: true, transposeB: true }))
  return drawn.filter((tensor) => tensor !== undefined)
}

/** The application of an op in an expression. */
function find(tensor: Tensor, op: OpName): Tensor | undefined {
  if (tensor.op === op) return tensor
  for (const operand of tensor.inputs) {
    const found = find(operand, op)
    if (found) return found
  }
  return undefined
}
