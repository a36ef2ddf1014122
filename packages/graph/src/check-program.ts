import { describe, GraphError } from './error.js'
import { type OpName, ops, ruleOf } from './ops/table.js'
import type { Program, ProgramNode } from './program.js'
import { sameShape } from './shapes.js'
import type { Typed } from './types.js'

/** A program from elsewhere: its ops are only text. */
export type ForeignProgram = Omit<Program, 'nodes'> & {
  readonly nodes: readonly (Omit<ProgramNode, 'op'> & { readonly op: string })[]
}

/**
 * The same program, known to be one: its ops exist, operands come first, shapes and dtypes are those of the shape rules.
 * Throws COLLIMATE_GRAPH_PROGRAM and says which node is wrong.
 */
export function checkProgram({ name, inputs, nodes, outputs, updates }: ForeignProgram): Program {
  const wrong = (where: string, why: string) =>
    new GraphError(
      'COLLIMATE_GRAPH_PROGRAM',
      `program ${name}, ${where}: ${why}`,
      'make programs with program() of @collimate/graph',
    )
  const values: Typed[] = [...inputs]
  const valueOf = (number: number, where: string): Typed => {
    if (!(number in values)) throw wrong(where, `there is no earlier value ${number}`)
    return values[number]
  }
  nodes.forEach((node, index) => {
    const where = `node ${index} (${node.op})`
    if (!Object.hasOwn(ops, node.op)) throw wrong(where, 'there is no such op')
    const rule = ruleOf(node.op as OpName)
    const operands = node.inputs.map((number) => valueOf(number, where))
    const enough = rule.arity === 'variadic' ? operands.length > 0 : operands.length === rule.arity
    if (!enough) throw wrong(where, `it has ${operands.length} operands instead of ${rule.arity}`)
    const type = rule.infer(operands, node.attributes)
    if (type.dtype !== node.dtype || !sameShape(type.shape, node.shape)) {
      throw wrong(where, `it is declared as ${describe(node)} and computes ${describe(type)}`)
    }
    values.push(node)
  })
  for (const output of outputs) valueOf(output.value, `output ${output.name}`)
  for (const update of updates) {
    valueOf(update.value, `update of ${update.state}`)
    if (!inputs.some((input) => input.role === 'state' && input.name === update.state)) {
      throw wrong(`update of ${update.state}`, 'there is no such state input')
    }
  }
  return { name, inputs, nodes: nodes as readonly ProgramNode[], outputs, updates }
}
