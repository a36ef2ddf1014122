import type { Program } from '@collimate/core'

const BYTES = { float: 4, int: 4, bool: 1 } as const

/**
 * Bytes of the intermediate values of a program that are alive together, at most: about what a backend holds for it that
 * keeps the memory of a program between runs. Inputs are not counted, nor what happens inside an op.
 */
export function workingMemory({ inputs, nodes, outputs, updates }: Program): number {
  const lastUses = new Int32Array(inputs.length + nodes.length).fill(-1)
  nodes.forEach((node, at) => node.inputs.forEach((value) => (lastUses[value] = at)))
  for (const { value } of [...outputs, ...updates]) lastUses[value] = nodes.length

  const sizes = nodes.map(({ dtype, shape }) => BYTES[dtype] * shape.reduce((product, length) => product * length, 1))
  const sizeOf = (value: number): number => sizes[value - inputs.length] ?? 0
  let live = 0
  let peak = 0
  nodes.forEach((node, at) => {
    live += sizes[at]
    peak = Math.max(peak, live)
    for (const value of new Set(node.inputs)) if (lastUses[value] === at) live -= sizeOf(value)
  })
  return peak
}
