import type { OpAttributes } from '@collimate/graph'
import type { GraphBuilder } from '../graph-builder.js'
import { only, type Lowerings, type Value } from './lowering.js'

type Flags = OpAttributes['matmul']

/** A product: Gemm for two matrices, FusedMatMul for batches, Transpose and MatMul where a device has no fused kernel. */
export function product(graph: GraphBuilder, a: Value, b: Value, flags: Flags): string {
  const { transposeA, transposeB, scale } = flags
  if (a.shape.length === 2 && b.shape.length === 2) {
    return graph.emit('Gemm', [a.name, b.name], {
      attributes: { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) }, alpha: { float: scale } },
    })
  }
  if (graph.device === 'cpu' || graph.device === 'cuda') {
    return graph.emit('FusedMatMul', [a.name, b.name], {
      domain: 'com.microsoft',
      attributes: { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) }, alpha: { float: scale } },
    })
  }
  const left = transposeA ? swapLastTwo(graph, a) : a.name
  const right = transposeB ? swapLastTwo(graph, b) : b.name
  const result = graph.emit('MatMul', [left, right])
  return scale === 1 ? result : graph.emit('Mul', [result, graph.scalar(scale)])
}

function swapLastTwo(graph: GraphBuilder, { name, shape }: Value): string {
  const axes = shape.map((_, axis) => axis)
  const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2]
  return graph.emit('Transpose', [name], { attributes: { perm: { ints: perm } } })
}

export const linearAlgebra: Lowerings<Pick<OpAttributes, 'matmul'>> = {
  matmul: (graph, inputs, flags) => product(graph, only(inputs, 0), only(inputs, 1), flags),
}
