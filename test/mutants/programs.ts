import type { Backend, Program, ProgramNode } from '@collimate/core'

/** A backend that runs every program with its nodes replaced. */
export function withNodes(backend: Backend, replace: (node: ProgramNode, program: Program) => ProgramNode): Backend {
  return withProgram(backend, (program) => ({ ...program, nodes: program.nodes.map((node) => replace(node, program)) }))
}

export function withProgram(backend: Backend, change: (program: Program) => Program): Backend {
  return { ...backend, compile: (request) => backend.compile({ ...request, program: change(request.program) }) }
}

/** A node, or several of which the last gives the value; `at` counts the new ones from 0 in `inputs` as −1, −2, ... */
type Expansion = readonly Omit<ProgramNode, 'dtype' | 'shape'>[]

/**
 * A program in which every node of one op is replaced by several: in `inputs` a number from 0 is an input of the replaced
 * node, −1 the first of the new nodes, −2 the second, and so on. All have the dtype and shape of the replaced one.
 */
export function expanded(program: Program, op: string, expansion: Expansion): Program {
  const nodes: ProgramNode[] = []
  const given = program.inputs.length
  const moved = new Map<number, number>()
  const now = (value: number): number => (value < given ? value : (moved.get(value) as number))
  program.nodes.forEach((node, at) => {
    const { dtype, shape } = node
    if (node.op !== op) nodes.push({ ...node, inputs: node.inputs.map(now) })
    else {
      const first = given + nodes.length
      for (const { inputs, ...rest } of expansion) {
        const values = inputs.map((input) => (input < 0 ? first - input - 1 : now(node.inputs[input])))
        nodes.push({ ...rest, inputs: values, dtype, shape })
      }
    }
    moved.set(given + at, given + nodes.length - 1)
  })
  return {
    ...program,
    nodes,
    outputs: program.outputs.map((output) => ({ ...output, value: now(output.value) })),
    updates: program.updates.map((update) => ({ ...update, value: now(update.value) })),
  }
}
