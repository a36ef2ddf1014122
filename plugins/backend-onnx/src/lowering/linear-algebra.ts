import type { OpAttributes } from '@collimate/graph'
import type { GraphBuilder } from '../graph-builder.js'
import { names, only, type Lowerings, type Value } from './lowering.js'

type Flags = OpAttributes['matmul']

/** A product, of float32 operands and with a float32 result, in the graph's precision. */
export function product(graph: GraphBuilder, a: Value, b: Value, flags: Flags): string {
  // A product with one column is a weighted sum, such as the means of norms: it keeps its digits, and has no use for float16.
  const columns = b.shape.at(flags.transposeB ? -2 : -1)
  if (graph.precision === 'float32' || columns === 1) return multiply(graph, a, b, flags)

  const half = (name: string): string => graph.cast(name, 'float16')
  const single = (name: string): string => graph.cast(name, 'float32')
  // The kernels of the CPU add up in float16, where there are any: operands and result are rounded, and the rest is as ever.
  const rounded = graph.device === 'cpu'
  const [left, right] = [a, b].map((value) => ({
    ...value,
    name: rounded ? single(half(value.name)) : half(value.name),
  })) as [Value, Value]
  return multiply(graph, left, right, flags, (name) => single(rounded ? half(name) : name))
}

/**
 * Gemm for two matrices, FusedMatMul for batches, Transpose and MatMul where a device has no fused kernel. `finish` is what
 * becomes of the kernel's result.
 */
function multiply(
  graph: GraphBuilder,
  a: Value,
  b: Value,
  { transposeA, transposeB, scale }: Flags,
  finish = (name: string): string => name,
): string {
  const attributes = {
    transA: { int: Number(transposeA) },
    transB: { int: Number(transposeB) },
    alpha: { float: scale },
  }
  if (a.shape.length === 2 && b.shape.length === 2) return finish(graph.emit('Gemm', names([a, b]), { attributes }))
  if (graph.device === 'cpu' || graph.device === 'cuda')
    return finish(graph.emit('FusedMatMul', names([a, b]), { domain: 'com.microsoft', attributes }))
  const left = transposeA ? swapLastTwo(graph, a) : a.name
  const right = transposeB ? swapLastTwo(graph, b) : b.name
  const result = finish(graph.emit('MatMul', [left, right]))
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
