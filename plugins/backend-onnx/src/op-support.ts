import { opTable } from '@collimate/backends'
import type { OpSupport } from '@collimate/core'
import type { OpName } from '@collimate/graph'
import { GraphBuilder } from './graph-builder.js'
import { loweringOf } from './lowering/table.js'
import { devices } from './providers.js'

/** How each op is computed on a device: with which operators of ONNX Runtime, or decomposed into which ops. */
export function opSupport(name: string): Readonly<Record<OpName, OpSupport>> {
  const device = devices.find((known) => known === name) ?? 'cpu'
  return opTable(
    (op) => loweringOf(op, device) !== undefined,
    (tensor) => {
      const graph = new GraphBuilder(device)
      const operands = tensor.inputs.map(({ dtype, shape }, i) => ({ name: `i${i}`, dtype, shape }))
      loweringOf(tensor.op as OpName, device)?.(graph, operands, tensor.attributes, tensor)
      return graph.nodes.map(({ type }) => type)
    },
  )
}
